namespace VoiceGrains.WebRtc.Tests.Sdp;

/// <summary>
/// Offers that Chromium 156 wrote, bare and through livekit-client, and Firefox 153, bare, in the order of each connection: first offer, microphone published,
/// ICE restart.
/// </summary>
internal static class SdpOffers
{
    public static string Read(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Sdp", "Offers", $"{name}.sdp"));

    /// <summary>Offers of one connection each, in their order.</summary>
    public static IReadOnlyList<string[]> Connections { get; } =
    [
        ["chromium-recvonly"],
        ["chromium-data-only"],
        ["chromium-sendrecv"],
        ["chromium-sendonly-first"],
        ["chromium-simulcast-five-tracks"],
        ["chromium-stopped"],
        ["chromium-recycled", "chromium-ice-restart"],
        ["chromium-livekit-2.16.1-1", "chromium-livekit-2.16.1-2", "chromium-livekit-2.16.1-3"],
        ["chromium-livekit-2.18.10-1", "chromium-livekit-2.18.10-2", "chromium-livekit-2.18.10-3", "chromium-livekit-2.18.10-4"],
        ["chromium-livekit-2.23.0-1", "chromium-livekit-2.23.0-2", "chromium-livekit-2.23.0-3", "chromium-livekit-2.23.0-4"],
        ["firefox-1", "firefox-2", "firefox-3"],
    ];

    public static TheoryData<string> All => [.. Connections.SelectMany(names => names)];
}
