using System.Reflection;
using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Accounts;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>Who asks: the account behind the request's API key. A handler that takes one sees only what that account owns.</summary>
/// <param name="KeyPrefix">Names the key; safe to log.</param>
public sealed record Caller(Account Account, string KeyPrefix)
{
    /// <summary>As grains and tables hold it.</summary>
    public string AccountId { get; } = Account.AccountId.ToString();

    public static ValueTask<Caller?> BindAsync(HttpContext context, ParameterInfo parameter)
        => ValueTask.FromResult<Caller?>(context.Features.Get<Caller>()
            ?? throw new PlatformException(HttpErrors.NotAuthenticated, ApiKeyAuthentication.MissingCredentials));
}
