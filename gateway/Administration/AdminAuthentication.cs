using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Gateway.Administration;

/// <summary>Reads <c>Authorization: Bearer</c> with the administrator's token. API keys prove nothing here, and the token proves nothing elsewhere.</summary>
internal sealed partial class AdminAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, IOptions<AdminOptions> admin, DatabaseWatch database)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "Administrator";
    private const string Prefix = "Bearer ";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var given = Request.Headers.Authorization;
        if (admin.Value.Token is not { Length: > 0 } token || given.Count == 0) return Task.FromResult(AuthenticateResult.NoResult());
        if (given.Count != 1 || !IsToken(given[0] ?? "", token))
        {
            LogRefused(Logger, Context.Connection.RemoteIpAddress);
            return Task.FromResult(AuthenticateResult.Fail("Invalid administrator's token."));
        }
        database.RequireDatabase();
        return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(SchemeName)), SchemeName)));
    }

    /// <summary>Where there is no token, there is nothing.</summary>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (string.IsNullOrEmpty(admin.Value.Token))
        {
            Response.StatusCode = StatusCodes.Status404NotFound;        // its body is routing's own
            return;
        }
        if ((await HandleAuthenticateOnceSafeAsync()).Failure is { } refused)
        {
            await ErrorBody.WriteAsync(Context, HttpErrors.KeyRefused, refused.Message);
            return;
        }
        Response.Headers.WWWAuthenticate = "Bearer";
        await ErrorBody.WriteAsync(Context, HttpErrors.NotAuthenticated, "The administrator's token was not provided.");
    }

    /// <summary>In the same time for every wrong one, whatever its length.</summary>
    private static bool IsToken(string header, string token) => header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Hash(header.AsSpan(Prefix.Length).Trim()), Hash(token));

    private static byte[] Hash(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return SHA256.HashData(bytes);
    }

    [LoggerMessage(2031, LogLevel.Warning, "Somebody at {Address} tried to administer with a wrong token")]
    private static partial void LogRefused(ILogger logger, System.Net.IPAddress? address);
}
