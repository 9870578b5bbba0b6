namespace VoiceGrains.GrainInterfaces;

/// <summary>One entry of the error list: its stable name, HTTP status and title.</summary>
public sealed record ErrorCode(string Name, int Status, string Title)
{
    public static readonly ErrorCode CallNotFound = new("call_not_found", 404, "Call not found");
    public static readonly ErrorCode CallNotLive = new("call_not_live", 422, "Call is not joined or has ended");
    public static readonly ErrorCode JoinRefused = new("join_refused", 403, "Join refused");
    public static readonly ErrorCode JoinExpired = new("join_expired", 410, "Join URL used or expired");
    public static readonly ErrorCode AgentNotFound = new("agent_not_found", 404, "Agent not found");
    public static readonly ErrorCode NotFound = new("not_found", 404, "Not found");
    public static readonly ErrorCode LastApiKey = new("last_api_key", 409, "The account's last API key");
    public static readonly ErrorCode AccountDisabled = new("account_disabled", 403, "Account disabled");
    public static readonly ErrorCode ReadOnly = new("read_only", 403, "May not be changed");
    public static readonly ErrorCode PreconditionFailed = new("precondition_failed", 412, "Changed meanwhile");
    public static readonly ErrorCode PlanSpent = new("insufficient_credits", 402, "Insufficient credits");
    public static readonly ErrorCode ConcurrencyLimit = new("concurrency_limit", 429, "Too many concurrent calls");
    public static readonly ErrorCode CallRateLimit = new("call_rate_limit", 429, "Calls created too fast");
    public static readonly ErrorCode CallThrottled = new("call_throttled", 429, "Held back by a call throttle");
    public static readonly ErrorCode AtCapacity = new("at_capacity", 429, "Too many calls on this server");
    public static readonly ErrorCode PriorityUnavailable = new("priority_unavailable", 503, "Too many calls on this server, even for an account with priority");
    public static readonly ErrorCode SiloUnavailable = new("silo_unavailable", 503, "No server for this can be reached");
    public static readonly ErrorCode DatabaseUnavailable = new("database_unavailable", 503, "The database does not answer");
    public static readonly ErrorCode Draining = new("draining", 503, "No new calls are taken");
}
