-- Health of a ray.io RayService for Argo CD: what KubeRay 1.5.1 and 1.7.0 say in status; a field that one lacks is absent.
-- Argo CD gives a script `obj`, Lua's base and table libraries and os.time and os.date, and no string library.
local os = require("os")
local PATIENCE_S = 1800 -- a cluster that is not ready after this is stuck: images, quota, nodes

local status = obj.status or {}
local active = status.activeServiceStatus or {}
local pending = status.pendingServiceStatus or {}
local BAD = { DEPLOY_FAILED = true, UNHEALTHY = true }

local function health(name, message)
  return { status = name, message = message }
end

local function condition(...)
  for _, name in ipairs({ ... }) do
    for _, found in ipairs(status.conditions or {}) do
      if found.type == name then return found end
    end
  end
  return {}
end

-- Times are compared as text: both are UTC in one format.
local function longAgo(time)
  return time ~= nil and time < os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - PATIENCE_S)
end

local function named(cluster)
  return cluster.rayClusterName ~= nil and cluster.rayClusterName ~= ""
end

local function servesOn()
  return named(active) and "; " .. active.rayClusterName .. " serves on" or ""
end

-- The first application of a cluster that failed, as text; then the first that is not there yet; nil and nil when all run.
local function applications(cluster)
  local failed, waiting
  for name, found in pairs(cluster.applicationStatuses or {}) do
    if BAD[found.status] then failed = name .. " is " .. found.status .. ": " .. (found.message or "") end
    if found.status ~= "RUNNING" then waiting = name .. " is " .. (found.status or "NOT_STARTED") end
    for deployment, of in pairs(found.serveDeploymentStatuses or {}) do
      if BAD[of.status] then failed = deployment .. " is " .. of.status .. ": " .. (of.message or "") end
      if of.status == "UPDATING" then waiting = deployment .. " is UPDATING" end
    end
  end
  return failed, waiting
end

local function clusterFailure(cluster)
  local of = cluster.rayClusterStatus or {}
  for _, found in ipairs(of.conditions or {}) do
    if found.type == "ReplicaFailure" and found.status == "True" then return found.message or found.reason or "" end
  end
  return of.state == "failed" and (of.reason or "failed") or nil
end

-- A cluster on its way: the first one, or the next beside the one that serves.
local function coming(since)
  local failed = applications(pending)
  local broken = clusterFailure(pending)
  if failed then return health("Degraded", "new cluster " .. pending.rayClusterName .. ": " .. failed .. servesOn()) end
  if broken then return health("Degraded", "new cluster " .. pending.rayClusterName .. ": " .. broken .. servesOn()) end
  if longAgo(since) and (pending.trafficRoutedPercent or 0) == 0 then
    return health("Degraded", "new cluster " .. pending.rayClusterName .. " is not ready after half an hour" .. servesOn())
  end
  if pending.trafficRoutedPercent ~= nil and named(active) then
    local share = pending.trafficRoutedPercent .. " % of the requests go to " .. pending.rayClusterName
    return health("Progressing", share .. ", the others to " .. active.rayClusterName)
  end
  return health("Progressing", "new cluster " .. pending.rayClusterName .. " starts" .. servesOn())
end

local function serving(ready)
  local failed, waiting = applications(active)
  if failed then return health("Degraded", failed) end
  if ready.status ~= "True" then
    local lost = ready.reason == "ZeroServeEndpoints"
    return health(lost and "Degraded" or "Progressing", ready.message or "no serve endpoint yet")
  end
  if active.applicationStatuses == nil then return health("Progressing", "no application is reported yet") end
  if waiting then return health("Progressing", waiting) end
  return health("Healthy", (status.numServeEndpoints or 0) .. " serve endpoints on " .. active.rayClusterName)
end

local ready, upgrade = condition("Ready"), condition("UpgradeInProgress")
-- KubeRay leaves observedGeneration as it was for a spec that it refuses, so this comes before the look at it.
if ready.reason == "ValidationFailed" then
  return health("Degraded", "KubeRay refuses the spec: " .. (ready.message or "") .. servesOn())
end
if ready.reason == "InitializingTimeout" then
  return health("Degraded", (ready.message or "initializing took too long") .. "; delete it to try again")
end
if condition("Suspended", "RayServiceSuspended").status == "True" then return health("Suspended", "suspended") end
if (obj.spec or {}).suspend or condition("Suspending", "RayServiceSuspending").status == "True" then
  return health("Progressing", "suspending")
end
if status.observedGeneration == nil or status.observedGeneration < (obj.metadata.generation or 0) then
  return health("Progressing", "KubeRay has not taken up this generation")
end
if condition("RollbackInProgress").status == "True" then
  return health("Progressing", "goes back to " .. (active.rayClusterName or "the cluster before"))
end
if named(pending) then return coming(named(active) and upgrade.lastTransitionTime or ready.lastTransitionTime) end
return serving(ready)
