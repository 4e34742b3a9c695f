# Months of cron lines and alarms, over the days on which the clocks of Berlin go forward: in a moment.

service "clock" {
  module = "clock.ts"
  routes = ["https://clock.example/*"]
  calls  = { DIARY = "clock.Diary" }
  cron   = ["*/30 * * * *", "30 2 * * *", "0 9 * * MON-FRI"]
  zone   = "Europe/Berlin"

  object "Diary" {
    idle = "1h"                    # so that it is not read from the disk each half hour
  }
}

scenario "month" {
  workload = "month.sim.ts"
  nodes    = 2
  lasts    = "1s"
  settles  = "120d"
  seeds    = 1                     # nothing is left to chance but delays of milliseconds
}

scenario "faults" {
  workload = "faults.sim.ts"
  nodes    = 2
  lasts    = "3d"
  settles  = "1h"
  seeds    = 5
  faults   = ["cron.skipped", "cron.doubled", "alarm.late", "alarm.duplicated"]
}
