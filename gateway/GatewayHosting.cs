using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Administration;
using VoiceGrains.Gateway.Agents;
using VoiceGrains.Gateway.Billing;
using VoiceGrains.Gateway.Browsers;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Cluster;
using VoiceGrains.Gateway.Connection;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Gateway.Joining;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.Gateway.Models;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Talk;
using VoiceGrains.Gateway.Throttles;
using VoiceGrains.Gateway.Tools;
using VoiceGrains.Gateway.Unserved;
using VoiceGrains.Gateway.Usage;
using VoiceGrains.Gateway.Voices;
using VoiceGrains.Gateway.Webhooks;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway;

/// <summary>The edge, REST and gRPC, in three steps that a host takes: services, middleware, routes.</summary>
public static class GatewayHosting
{
    /// <summary>Needs the grains and providers of the host.</summary>
    public static IServiceCollection AddGateway(this IServiceCollection services)
    {
        services.AddOptions<GatewayOptions>().BindConfiguration("Gateway").ValidateDataAnnotations()
            .Validate(o => o.HasValidProxies, "Gateway:TrustedProxies must be networks such as 10.0.0.0/8.")
            .Validate(static options => Array.TrueForAll(options.AllowedOrigins, IsOrigin), "Gateway:AllowedOrigins must be origins such as https://app.example.com, without a path.")
            .ValidateOnStart();
        services.AddOptions<BillingOptions>().BindConfiguration("Billing").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddExceptionHandler<PlatformExceptionHandler>();
        services.Configure<JsonOptions>(UseWireJson);
        services.AddLimits();
        services.AddAccounts();
        services.AddAdministration();
        services.AddCalls();
        services.AddGrpc();
        services.AddSingleton<VoicePreview>();
        services.AddSingleton<VoiceUpload>();
        services.AddSingleton<WebhookRules>();
        services.AddSingleton<IConfigureOptions<CorsOptions>, BrowserAccess>();
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>, ConnectionLimits>();
        services.AddCors();
        services.AddSingleton<SchemaEndpoints>();
        return services;
    }

    private static void AddLimits(this IServiceCollection services)
    {
        services.AddSingleton<LimitRefusals>();
        services.AddSingleton<StrangerLimit>();
        services.AddSingleton<IncludedMinutes>();
        services.AddSingleton<CallAllowance>();
        services.AddSingleton<IConfigureOptions<RateLimiterOptions>, RequestLimits>();
        services.AddRateLimiter();
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<GatewayOptions>>(TrustProxies);
    }

    private static void AddAccounts(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeyVerifier>();
        services.AddHostedService<ApiKeyChanges>();
        services.AddAuthentication(ApiKeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, null);
        services.AddAuthorization();
    }

    private static void AddAdministration(this IServiceCollection services)
    {
        services.AddOptions<AdminOptions>().BindConfiguration("Admin").ValidateDataAnnotations().ValidateOnStart();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, AdminAuthentication>(AdminAuthentication.SchemeName, null);
        services.AddSingleton<AdminAudit>();
        services.AddSingleton<CallEnding>();
    }

    private static void AddCalls(this IServiceCollection services)
    {
        services.AddSingleton<CallCreation>();
        services.AddSingleton<ConnectionCalls>();
        services.AddSingleton<TalkCalls>();
        services.AddSingleton<TalkPage>();
        services.AddSingleton<CallTunnel>();
    }

    /// <summary>The order matters: errors are shaped outside of everything, preflights need no key, and limits count by key.</summary>
    public static IApplicationBuilder UseGateway(this IApplicationBuilder app)
    {
        app.UseForwardedHeaders();
        app.UseGrpc();
        app.UseExceptionHandler(static _ => { });
        app.UseStatusCodePages(ErrorBody.WriteForStatusAsync);
        app.UseRoutingWithHead();
        BrowserAccess.Use(app);
        app.UseAuthentication();
        app.UseRateLimiter();
        return app.UseAuthorization();
    }

    public static IEndpointRouteBuilder MapGateway(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("").RequireAuthorization();
        api.MapAccounts();
        api.MapApiKeys();
        api.MapTtsKeys();
        api.MapTelephonyConfigs();
        api.MapUsage();
        api.MapBilling();
        api.MapCalls();
        api.MapMessageAudio();
        api.MapAgents();
        api.MapTools();
        api.MapVoices();
        api.MapModels();
        api.MapWebhooks();
        api.MapThrottles();
        api.MapCluster();
        api.MapConnection();
        SchemaEndpoints.Map(api);
        api.MapUnserved();
        routes.MapTalk();
        routes.MapAdministration();
        return routes;
    }

    private static bool IsOrigin(string text)
        => Uri.TryCreate(text, UriKind.Absolute, out var origin) && origin.Scheme is "https" or "http" && origin.GetLeftPart(UriPartial.Authority) == text;

    /// <summary>Only the client's address is taken from them; what links are based on is configured.</summary>
    private static void TrustProxies(ForwardedHeadersOptions headers, IOptions<GatewayOptions> gateway)
    {
        headers.ForwardedHeaders = gateway.Value.TrustedProxies.Count > 0 ? ForwardedHeaders.XForwardedFor : ForwardedHeaders.None;
        headers.ForwardLimit = null;        // as many hops as are trusted
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var proxy in gateway.Value.TrustedProxies) headers.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(proxy));
    }

    private static void UseWireJson(JsonOptions options)
    {
        var json = options.SerializerOptions;
        json.NumberHandling = WireJson.Options.NumberHandling;
        json.Encoder = WireJson.Options.Encoder;
        foreach (var converter in WireJson.Options.Converters) json.Converters.Add(converter);
    }
}
