using System.Net;
using VoiceGrains.Hosting.Health;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>What WebRTC calls add to a silo.</summary>
internal static class RoomHosting
{
    public static void AddRooms(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<WebRtcOptions>().BindConfiguration("WebRtc").ValidateDataAnnotations()
            .Validate(static options => Array.TrueForAll(options.PublicAddresses, static address => IPAddress.TryParse(address, out _)), "WebRtc:PublicAddresses must be IP addresses, such as 203.0.113.7.")
            .ValidateOnStart();
        services.AddSingleton<WebRtcPeers>();
        services.AddSingleton<IRoomPeerFactory>(static provider => provider.GetRequiredService<WebRtcPeers>());
        services.AddHostedService(static provider => provider.GetRequiredService<WebRtcPeers>());
        services.AddHealthChecks().AddCheck<WebRtcHealthCheck>("webrtc", tags: [HealthExtensions.Ready]);
        services.AddSingleton<RoomMetrics>();
        services.AddSingleton<Rooms>();
        services.AddHostedService(static provider => provider.GetRequiredService<Rooms>());
        services.AddSingleton<RoomIngress>();
    }
}
