# Months of cron lines and alarms, over the days on which the clocks of Berlin go forward: in a moment.

service "clock" {
  module = "clock.ts"
  routes = ["https://clock.example/*"]
  calls  = { DIARY = "clock.Diary" }
  cron   = ["*/15 * * * *", "30 2 * * *", "0 9 * * MON-FRI"]
  zone   = "Europe/Berlin"

  object "Diary" {
    idle = "1h"                    # so that it is not read from the disk each quarter of an hour
  }
}

scenario "month" {
  workload = "month.sim.ts"
  nodes    = 2
  lasts    = "1s"
  settles  = "120d"
  seeds    = 2
}

scenario "faults" {
  workload = "faults.sim.ts"
  nodes    = 2
  lasts    = "7d"
  settles  = "1h"
  seeds    = 10
  faults   = ["cron.skipped", "cron.doubled", "alarm.late", "alarm.duplicated"]
}
