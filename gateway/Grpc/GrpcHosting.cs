using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>gRPC over HTTP/2: services, the port, and the place in the pipeline.</summary>
public static class GrpcHosting
{
    internal static IServiceCollection AddGrpc(this IServiceCollection services)
    {
        services.AddOptions<GrpcOptions>().BindConfiguration("Grpc").ValidateDataAnnotations()
            .Validate(options => options.WatchCheckPeriod > TimeSpan.Zero, "Grpc:WatchCheckPeriod must be above zero.")
            .ValidateOnStart();
        services.AddSingleton<GrpcPublicAddress>();
        services.AddSingleton<GrpcMetrics>();
        services.AddSingleton<IGrpcService, AgentsService>();
        services.AddSingleton<IGrpcService, CallsService>();
        services.AddSingleton<GrpcEndpoint>();
        return services;
    }

    /// <summary>Listens on <see cref="GrpcOptions.Port"/> too, where it is set. Call it when the addresses of the REST API are known.</summary>
    public static WebApplicationBuilder AddGrpcPort(this WebApplicationBuilder builder)
    {
        if (!int.TryParse(builder.Configuration["Grpc:Port"], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > IPEndPoint.MaxPort) return builder;
        var urls = builder.Configuration[WebHostDefaults.ServerUrlsKey];
        var main = (string.IsNullOrEmpty(urls) ? "http://127.0.0.1:8080" : urls).Split(';', StringSplitOptions.RemoveEmptyEntries).Select(BindingAddress.Parse).ToList();
        // Kestrel takes either URLs or end points, and only end points can say which protocol they speak.
        builder.WebHost.UseUrls().ConfigureKestrel(kestrel =>
        {
            foreach (var address in main) Listen(kestrel, address, address.Port);
            Listen(kestrel, main[0], port, HttpProtocols.Http2);
        });
        return builder;
    }

    /// <summary>Takes gRPC requests out of the pipeline, on whatever port they come.</summary>
    internal static IApplicationBuilder UseGrpc(this IApplicationBuilder app)
    {
        var endpoint = app.ApplicationServices.GetRequiredService<GrpcEndpoint>();
        return app.MapWhen(static http => ApiRequests.IsGrpc(http.Request), branch => branch.Run(endpoint.HandleAsync));
    }

    private static void Listen(KestrelServerOptions kestrel, BindingAddress address, int port, HttpProtocols? protocols = null)
    {
        void Configure(ListenOptions listen)
        {
            if (protocols is { } stated) listen.Protocols = stated;
            if (address.Scheme == "https") listen.UseHttps();
        }

        if (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip)) kestrel.Listen(ip, port, Configure);
        else if (address.Host == "localhost") kestrel.ListenLocalhost(port, Configure);
        else kestrel.ListenAnyIP(port, Configure);
    }
}
