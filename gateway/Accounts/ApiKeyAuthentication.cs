using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Errors;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>Reads <c>X-API-Key</c>, or <c>X-Unsafe-API-Key</c>, which works the same but may be sent by a page of another origin; for the connection API also <c>Authorization: Bearer</c>.</summary>
internal sealed class ApiKeyAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, ApiKeyVerifier keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "ApiKey", Header = "X-API-Key", UnsafeHeader = "X-Unsafe-API-Key";
    public const string MissingCredentials = "Authentication credentials were not provided.";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!ApiRequests.IsRest(Request) && !ApiRequests.IsTalk(Request)) return AuthenticateResult.NoResult();     // nothing else asks who it is, and a look-up costs
        var given = Request.Headers[Header];
        if (given.Count == 0) given = Request.Headers[UnsafeHeader];
        if (given.Count == 0 && ApiRequests.IsConnection(Request) && BearerToken.Of(Request) is { } bearer) given = bearer;
        if (given.Count == 0) return AuthenticateResult.NoResult();
        if (given.Count != 1 || await keys.VerifyAsync(given[0] ?? "", Context.Connection.RemoteIpAddress, Context.RequestAborted) is not { } caller) return AuthenticateResult.Fail("Invalid API key.");

        Context.Features.Set(caller);
        var identity = new ClaimsIdentity([new(ClaimTypes.NameIdentifier, caller.AccountId)], SchemeName);
        return AuthenticateResult.Success(new(new ClaimsPrincipal(identity), SchemeName));
    }

    /// <summary>401 without a key, 403 with one that does not hold: a client that retries with the same key will not do better. Bearer tokens are refused with 401 (RFC 6750 §3.1).</summary>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var takesBearer = ApiRequests.IsConnection(Request);
        if ((await HandleAuthenticateOnceSafeAsync()).Failure is { } refused)
        {
            if (takesBearer) Response.Headers.WWWAuthenticate = BearerToken.Scheme + " error=\"invalid_token\"";
            await ErrorBody.WriteAsync(Context, takesBearer ? HttpErrors.BearerRefused : HttpErrors.KeyRefused, refused.Message);
            return;
        }
        Response.Headers.WWWAuthenticate = takesBearer ? BearerToken.Scheme : SchemeName;
        await ErrorBody.WriteAsync(Context, HttpErrors.NotAuthenticated, MissingCredentials);
    }
}
