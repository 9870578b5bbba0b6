using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.ElevenLabs;

namespace VoiceGrains.Bench.Micro;

/// <summary>
/// What an external voice costs beyond its provider: an utterance of ten seconds through our client, and the same messages read and thrown away by a bare
/// <see cref="ClientWebSocket"/>. The provider is a loopback server that answers at once with messages made before.
/// </summary>
[MemoryDiagnoser]
public class ExternalVoiceBenchmarks : IDisposable
{
    private const int Parts = 40;
    private const string Sentence = "Ten seconds of speech are about as many words as this. ";
    private static readonly byte[] Part = JsonSerializer.SerializeToUtf8Bytes(new
    {
        audio = Convert.ToBase64String(new byte[8_000]),             // 250 ms at 16 kHz
        isFinal = (bool?)null,
        alignment = new { chars = new[] { "T", "e", "n", " " }, charStartTimesMs = new[] { 0, 50, 100, 150 }, charDurationsMs = new[] { 50, 50, 50, 50 } },
    });

    private readonly WebApplication _server;
    private readonly ServiceProvider _services;
    private readonly ISynthesizer _voice;
    private readonly byte[] _received = new byte[64 * 1024];

    public ExternalVoiceBenchmarks()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.UseWebSockets();
        _server.Run(AnswerAsync);
        _server.StartAsync().GetAwaiter().GetResult();
        var settings = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("ExternalVoices:ElevenLabs:BaseUrl", (string?)Url)]).Build();
        _services = new ServiceCollection().AddVoiceProviders(settings).BuildServiceProvider();
        _voice = _services.GetRequiredService<IVoiceCatalog>().CreateExternal(new ElevenLabsVoiceDefinition { VoiceId = "v" }, "key");
    }

    private string Url => _server.Urls.Single().Replace("http://", "ws://", StringComparison.Ordinal);

    /// <summary>Connect, speak, decode, time the words.</summary>
    [Benchmark]
    public async Task<int> Utterance()
    {
        var samples = 0;
        await foreach (var chunk in _voice.SynthesizeAsync(new SynthesisRequest("", 16_000), TextAsync(), CancellationToken.None)) samples += chunk.Pcm.Length;
        return samples == Parts * 4_000 ? samples : throw new InvalidOperationException($"{samples} samples came.");
    }

    /// <summary>Connect, send the same, and read the messages.</summary>
    [Benchmark(Baseline = true)]
    public async Task<int> BareSocket()
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(Url + "/v1/text-to-speech/v/stream-input"), CancellationToken.None);
        foreach (var text in new[] { " ", Sentence, "" })
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new { text }), WebSocketMessageType.Text, true, CancellationToken.None);
        var messages = 0;
        while (messages <= Parts)
        {
            if ((await socket.ReceiveAsync(_received.AsMemory(), CancellationToken.None)).EndOfMessage) messages++;
        }
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        return messages;
    }

    public void Dispose()
    {
        _services.Dispose();
        _server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    private static async IAsyncEnumerable<string> TextAsync()
    {
        await Task.CompletedTask;
        yield return Sentence;
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[4_096];
        for (var messages = 0; messages < 3;)
        {
            if ((await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted)).EndOfMessage) messages++;
        }
        for (var i = 0; i < Parts; i++) await socket.SendAsync(Part, WebSocketMessageType.Text, true, context.RequestAborted);
        await socket.SendAsync("""{"isFinal":true}"""u8.ToArray(), WebSocketMessageType.Text, true, context.RequestAborted);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        try
        {
            await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            // Gone without a close: what it wanted to know it knows.
        }
    }
}
