-- Each request counts another of so many objects.
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "/" .. (n * 7919 % 10000))
end
