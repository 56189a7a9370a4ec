-- Health of a ray.io RayCluster for Argo CD: by conditions, and by `state` where an operator has none.
local status = obj.status or {}

local function health(name, message)
  return { status = name, message = message }
end

local function condition(name)
  for _, found in ipairs(status.conditions or {}) do
    if found.type == name then return found end
  end
  return {}
end

local function because(found, otherwise)
  if found.message ~= nil and found.message ~= "" then return found.message end
  return found.reason or otherwise
end

local function workers()
  local ready = status.readyWorkerReplicas or 0
  local text = ready .. " of " .. (status.desiredWorkerReplicas or 0) .. " workers ready"
  -- Between least and desired the autoscaler is at work, which is no news.
  return health(ready < (status.minWorkerReplicas or 0) and "Progressing" or "Healthy", text)
end

if condition("RayClusterSuspended").status == "True" or status.state == "suspended" then
  return health("Suspended", "suspended")
end
if (obj.spec or {}).suspend or condition("RayClusterSuspending").status == "True" then
  return health("Progressing", "suspending")
end
local failure = condition("ReplicaFailure")
if failure.status == "True" then return health("Degraded", because(failure, "a pod failed")) end
if status.state == "failed" then return health("Degraded", status.reason or "failed") end
if status.observedGeneration == nil or status.observedGeneration < (obj.metadata.generation or 0) then
  return health("Progressing", "KubeRay has not taken up this generation")
end
local head, provisioned = condition("HeadPodReady"), condition("RayClusterProvisioned")
if provisioned.status == nil then
  if status.state == "ready" then return workers() end
  return health("Progressing", status.reason or "starts")
end
if provisioned.status ~= "True" then return health("Progressing", because(provisioned, "starts")) end
if head.status ~= "True" then return health("Degraded", "head: " .. because(head, "not ready")) end
return workers()
