using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Gateway.Administration;

/// <summary>One line in the log for each thing that an administrator did: who, from where, what, and to which account. Never a secret.</summary>
internal sealed partial class AdminAudit(ILogger<AdminAudit> logger)
{
    public void Log(HttpContext context, string action, Guid? accountId, string what = "")
        => LogDone(context.Connection.RemoteIpAddress, action, accountId?.ToString() ?? "any", what);

    [LoggerMessage(2032, LogLevel.Information, "The administrator at {Address}: {Action} of account {AccountId} {What}")]
    private partial void LogDone(System.Net.IPAddress? address, string action, string accountId, string what);
}
