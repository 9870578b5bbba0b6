using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Agents;
using VoiceGrains.Gateway.Billing;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Cluster;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Gateway.Joining;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.Gateway.Models;
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
        services.AddOptions<GatewayOptions>().BindConfiguration("Gateway").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<BillingOptions>().BindConfiguration("Billing").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddExceptionHandler<PlatformExceptionHandler>();
        services.Configure<JsonOptions>(UseWireJson);
        services.AddAccounts();
        services.AddCalls();
        services.AddGrpc();
        services.AddSingleton<VoicePreview>();
        services.AddSingleton<VoiceUpload>();
        services.AddSingleton<WebhookRules>();
        services.AddCors(options => options.AddDefaultPolicy(AllowBrowsers));
        return services;
    }

    private static void AddAccounts(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeyVerifier>();
        services.AddSingleton<CallCreationLimits>();
        services.AddSingleton<IConfigureOptions<RateLimiterOptions>, RequestLimits>();
        services.AddRateLimiter();
        services.AddAuthentication(ApiKeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, null);
        services.AddAuthorization();
    }

    private static void AddCalls(this IServiceCollection services)
    {
        services.AddSingleton<CallCreation>();
        services.AddSingleton<CallTunnel>();
    }

    /// <summary>The order matters: errors are shaped outside of everything, preflights need no key, and limits count by key.</summary>
    public static IApplicationBuilder UseGateway(this IApplicationBuilder app) => app
        .UseGrpc()
        .UseExceptionHandler(static _ => { })
        .UseStatusCodePages(ErrorBody.WriteForStatusAsync)
        .UseRouting()
        .UseCors()
        .UseAuthentication()
        .UseRateLimiter()
        .UseAuthorization();

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
        api.MapCluster();
        api.MapUnserved();
        return routes;
    }

    /// <summary>Any page may read the API, but only with the header that says in its name what that means.</summary>
    private static void AllowBrowsers(CorsPolicyBuilder policy) => policy
        .AllowAnyOrigin()
        .AllowAnyMethod()
        .WithHeaders("Content-Type", "Accept", ApiKeyAuthentication.UnsafeHeader)
        .WithExposedHeaders("Retry-After");

    private static void UseWireJson(JsonOptions options)
    {
        var json = options.SerializerOptions;
        json.NumberHandling = WireJson.Options.NumberHandling;
        json.Encoder = WireJson.Options.Encoder;
        foreach (var converter in WireJson.Options.Converters) json.Converters.Add(converter);
    }
}
