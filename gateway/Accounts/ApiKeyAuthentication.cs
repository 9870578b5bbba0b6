using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Errors;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>Reads <c>X-API-Key</c>, or <c>X-Unsafe-API-Key</c>, which works the same but may be sent by a page of another origin.</summary>
internal sealed class ApiKeyAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, ApiKeyVerifier keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "ApiKey", Header = "X-API-Key", UnsafeHeader = "X-Unsafe-API-Key";
    public const string MissingCredentials = "Authentication credentials were not provided.";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!ApiRequests.IsRest(Request)) return AuthenticateResult.NoResult();     // nothing else asks who it is, and a look-up costs
        var given = Request.Headers[Header];
        if (given.Count == 0) given = Request.Headers[UnsafeHeader];
        if (given.Count == 0) return AuthenticateResult.NoResult();
        if (given.Count != 1 || await keys.VerifyAsync(given[0] ?? "", Context.Connection.RemoteIpAddress, Context.RequestAborted) is not { } caller) return AuthenticateResult.Fail("Invalid API key.");

        Context.Features.Set(caller);
        var identity = new ClaimsIdentity([new(ClaimTypes.NameIdentifier, caller.AccountId)], SchemeName);
        return AuthenticateResult.Success(new(new ClaimsPrincipal(identity), SchemeName));
    }

    /// <summary>401 without a key, 403 with one that does not hold: a client that retries with the same key will not do better.</summary>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if ((await HandleAuthenticateOnceSafeAsync()).Failure is { } refused)
        {
            await ErrorBody.WriteAsync(Context, HttpErrors.KeyRefused, refused.Message);
            return;
        }
        Response.Headers.WWWAuthenticate = SchemeName;
        await ErrorBody.WriteAsync(Context, HttpErrors.NotAuthenticated, MissingCredentials);
    }
}
