-- Health of a CronJob for Argo CD: being there. By Argo CD's own check one whose last run failed is Degraded, and one that
-- is switched off Suspended; a sync fails at the first, and where it waits (to prune) it waits for ever at the second.
-- Whether runs succeed is what VigiaCronJobFailed and VigiaScheduleMissed tell.
if (obj.spec or {}).suspend then
  return { status = "Healthy", message = "switched off" }
end
local last = (obj.status or {}).lastSuccessfulTime
return { status = "Healthy", message = last and "last succeeded " .. last or "has not succeeded yet" }
