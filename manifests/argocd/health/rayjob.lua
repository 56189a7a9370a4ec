-- Health of a ray.io RayJob for Argo CD. Complete also covers a stopped job: SUCCEEDED alone is success.
local status = obj.status or {}
local deployment, job = status.jobDeploymentStatus or "", status.jobStatus or ""
local reason = status.message or status.reason or ""

local function health(name, message)
  return { status = name, message = message }
end

if deployment == "ValidationFailed" then return health("Degraded", "KubeRay refuses the spec: " .. reason) end
if deployment == "Failed" then return health("Degraded", (status.reason or "Failed") .. ": " .. (status.message or "")) end
if deployment == "Suspended" then return health("Suspended", "suspended") end
if deployment == "Complete" then
  if job == "SUCCEEDED" then return health("Healthy", "SUCCEEDED") end
  return health("Degraded", job .. ": " .. reason)
end
if deployment == "Retrying" then return health("Progressing", "failed and is tried again: " .. reason) end
if deployment == "" then return health("Progressing", "KubeRay has not taken it up") end
return health("Progressing", job == "" and deployment or deployment .. ", job " .. job)
