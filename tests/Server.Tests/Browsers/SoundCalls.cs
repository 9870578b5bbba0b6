using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;
using VoiceGrains.Silo.WebRtc;
using VoiceGrains.Tests.Fakes.Network;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>
/// Calls of Chromium whose sound is measured, all at once, each over a network of its own. Its microphone is a person who says "go forward ten meters", and then a
/// <see cref="KnownSound"/>; the agent's first words sound like the same. VOICEGRAINS_SOUND_FOLDER names a folder for the recordings.
/// </summary>
public sealed class SoundCalls(LiveSilo silo) : IAsyncLifetime
{
    public const string Clean = "clean", Lossy = "lossy";
    private const double PauseSeconds = 1.5;
    private const double SoundSeconds = 3;
    private readonly string? _kept = Environment.GetEnvironmentVariable("VOICEGRAINS_SOUND_FOLDER");
    private readonly MachineStalls _stalls = new();
    private readonly Dictionary<string, LossyUdp> _networks = [];
    private string _folder = "";
    private WebApplication? _voice;
    private BrowserRun? _run;
    private ApiClient? _api;

    /// <summary>What the person says, until most of it was understood in one turn.</summary>
    internal static IReadOnlyList<string> Words { get; } = ["go", "forward", "ten", "meters"];

    internal static short[] Sound { get; } = KnownSound.Create(SoundSeconds);

    public async ValueTask InitializeAsync()
    {
        if (BrowserRun.Missing is not null) return;
        _folder = _kept is null ? Directory.CreateTempSubdirectory("voicegrains-sound-").FullName : Directory.CreateDirectory(_kept).FullName;
        _api = await silo.CreateClientAsync();
        var sound = HumanSpeech.At(BrowserRun.RateHz, Sound, KnownSound.RateHz);
        _voice = await StartVoiceAsync(sound);
        var server = new IPEndPoint(LocalAddress(), silo.Services.GetRequiredService<WebRtcPeers>().Port!.Value);
        _networks[Clean] = new LossyUdp(server);
        _networks[Lossy] = new LossyUdp(server) { LossPercent = 5, Jitter = TimeSpan.FromMilliseconds(30) };
        var agent = await AgentAsync();
        var pause = new short[(int)(PauseSeconds * BrowserRun.RateHz)];
        // The person waits until the agent has spoken.
        short[] microphone = [.. new short[sound.Length], .. pause, .. HumanSpeech.OneTurn(BrowserRun.RateHz), .. pause, .. sound, .. pause];
        _run = BrowserRun.Start(new
        {
            server = silo.Address.GetLeftPart(UriPartial.Authority), key = _api.Key, chromium = BrowserRun.Chromium, recording = BrowserRun.WriteMicrophone(_folder, microphone),
            only = _networks.Keys, folder = _folder,
            calls = _networks.ToDictionary(one => one.Key, one => new
            {
                agent, relay = new { address = one.Value.EndPoint.Address.ToString(), port = one.Value.EndPoint.Port }, processing = Array.Empty<string>(),
                seconds = (double)microphone.Length / BrowserRun.RateHz, words = Words,
            }),
        });
    }

    /// <summary>What was heard in a call.</summary>
    internal async Task<SoundCall> ResultAsync(string name)
    {
        Assert.SkipWhen(BrowserRun.Missing is not null, BrowserRun.Missing ?? "");
        var result = await _run!.ResultAsync(name);
        var path = $"/api/calls/{result.GetProperty("callId").GetString()}";
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel);
        patience.CancelAfter(TimeSpan.FromMinutes(2));       // what is being recognized is waited for
        while ((await _api!.GetAsync(path)).Json.GetProperty("ended").ValueKind == JsonValueKind.Null) await Task.Delay(50, patience.Token);

        var recording = await _api.Http.GetByteArrayAsync(new Uri($"{path}/recording", UriKind.Relative), patience.Token);
        if (_kept is not null) await File.WriteAllBytesAsync(Path.Combine(_kept, $"{name}-recording.wav"), recording, patience.Token);
        var user = MemoryMarshal.Cast<byte, short>(recording.AsSpan(44)).ToArray().Where((_, i) => i % 2 == 0).ToArray();
        var heard = MemoryMarshal.Cast<byte, short>(await File.ReadAllBytesAsync(result.GetProperty("heard").GetString()!, patience.Token)).ToArray();
        var carried = _networks[name].Carried;
        return new SoundCall(
            Recorded: KnownSound.Find(user, Sound), Heard: KnownSound.Find(HumanSpeech.At(KnownSound.RateHz, heard, BrowserRun.RateHz), Sound),
            Said: [.. result.GetProperty("said").EnumerateArray().Select(said => said.GetString()!)],
            Late: Lateness.OfSound(carried.Where(packet => packet.IsToServer), SoundSeconds), LateFromUs: Lateness.OfSound(carried.Where(packet => !packet.IsToServer), SoundSeconds),
            Lost: carried.Count(packet => packet.WasLost) / (double)carried.Count, Stalled: _stalls.WorstSince(carried[0].At), BrowserStalled: TimeSpan.FromMilliseconds(result.GetProperty("stalledMs").GetDouble()));
    }

    public async ValueTask DisposeAsync()
    {
        if (_run is not null) await _run.DisposeAsync();
        foreach (var network in _networks.Values) network.Dispose();
        if (_voice is not null) await _voice.DisposeAsync();
        _api?.Dispose();
        _stalls.Dispose();
        if (_kept is null && _folder != "") Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> AgentAsync()
    {
        var script = silo.Chat.Play(_ => ChatReply.Say("All right."));
        var made = await _api!.PostAsync("/api/agents", $$$"""
            {"name":"Anna","callTemplate":{
              "systemPrompt":"You talk in a browser. {{{script.Mark}}}","model":"{{{ScriptedChat.Model}}}","languageHint":"en","joinTimeout":"120s","recordingEnabled":true,
              "externalVoice":{"generic":{"url":"{{{_voice!.Urls.Single()}}}/","body":{"text":"{text}"},"responseSampleRate":{{{BrowserRun.RateHz}}},"responseMimeType":"audio/pcm"}},
              "firstSpeakerSettings":{"agent":{"text":"Hello.","uninterruptible":true} } } }
            """);
        Assert.True(made.Status == 201, made.Text);
        return made.Json.GetProperty("agentId").GetString()!;
    }

    /// <summary>A voice whose greeting sounds like this, and whose other words are quiet.</summary>
    private static async Task<WebApplication> StartVoiceAsync(short[] sound)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapPost("/", async (HttpContext http) =>
        {
            var words = await JsonDocument.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted);
            var spoken = words.RootElement.GetProperty("text").GetString() == "Hello." ? sound : new short[BrowserRun.RateHz / 10];
            await http.Response.Body.WriteAsync(MemoryMarshal.AsBytes<short>(spoken).ToArray(), http.RequestAborted);
        });
        await app.StartAsync();
        return app;
    }

    /// <summary>An address that the server listens on: not loopback, unless there is nothing else.</summary>
    private static IPAddress LocalAddress()
        => NetworkInterface.GetAllNetworkInterfaces().Where(one => one.OperationalStatus == OperationalStatus.Up && one.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(one => one.GetIPProperties().UnicastAddresses).Select(one => one.Address).FirstOrDefault(one => one.AddressFamily == AddressFamily.InterNetwork) ?? IPAddress.Loopback;
}

/// <summary>What became of the sound of a call, and what the machine did meanwhile.</summary>
/// <param name="Recorded">The microphone's, in the recording.</param>
/// <param name="Heard">The agent's, in the browser.</param>
/// <param name="Said">The person's words, as recognized.</param>
/// <param name="Late">How unevenly the browser's packets came.</param>
/// <param name="LateFromUs">How unevenly ours left.</param>
/// <param name="Lost">Share of the packets, both ways.</param>
/// <param name="Stalled">How long this process was kept waiting at most.</param>
/// <param name="BrowserStalled">How long the page was.</param>
internal sealed record SoundCall(
    SoundReport Recorded, SoundReport Heard, IReadOnlyList<string> Said, TimeSpan Late, TimeSpan LateFromUs, double Lost, TimeSpan Stalled, TimeSpan BrowserStalled);
