using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Limits;

namespace VoiceGrains.Gateway.Browsers;

/// <summary>
/// What pages of other origins may do (CORS): use the API, but only with the header that says in its name what that means. <c>X-API-Key</c> is not among those that a
/// browser may send, so that a key that was meant for servers does not end up in a page by mistake.
/// </summary>
internal sealed class BrowserAccess(IOptions<GatewayOptions> gateway) : IConfigureOptions<CorsOptions>
{
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    public void Configure(CorsOptions options) => options.AddDefaultPolicy(Allow);

    /// <summary>For the API alone: health and metrics are nothing for pages.</summary>
    public static void Use(IApplicationBuilder app) => app.UseWhen(static context => ApiRequests.IsRest(context.Request), static api => api.UseCors());

    private void Allow(CorsPolicyBuilder policy)
    {
        if (gateway.Value.AllowedOrigins is { Length: > 0 } origins) policy.WithOrigins(origins);
        else policy.AllowAnyOrigin();
        policy.AllowAnyMethod()
            .WithHeaders("Content-Type", "Accept", "If-Match", "If-None-Match", "Range", ApiKeyAuthentication.UnsafeHeader)
            .WithExposedHeaders("Retry-After", "ETag", "Location", "Allow", "WWW-Authenticate", "Content-Range", "Accept-Ranges", "Content-Disposition")
            .SetPreflightMaxAge(PreflightAge);
    }
}
