using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>
/// A provider of voices on a loopback port that speaks the real protocol over real WebSockets, checks what it is told and answers with real speech.
/// Voices and models whose names begin with <c>missing</c> do not exist.
/// </summary>
internal abstract class FakeVoiceServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<FakeVoiceSession> _sessions = new();
    private int _outages;

    protected FakeVoiceServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(AnswerAsync);
    }

    /// <summary>For <c>ExternalVoices:PROVIDER:BaseUrl</c>.</summary>
    public virtual string Url => _app.Urls.Single().Replace("http://", "ws://", StringComparison.Ordinal);

    /// <summary>The only key that is right.</summary>
    public string Key { get; set; } = "account-key-0123456789";

    /// <summary>What it does wrong, for connections and sentences from now on.</summary>
    public FakeVoiceFault Fault { get; set; }

    /// <summary>How many upgrades from now on are answered with 503.</summary>
    public int Outages { get => _outages; set => _outages = value; }

    /// <summary>Pause before each part of the sound, for a slow provider.</summary>
    public TimeSpan PartDelay { get; set; }

    /// <summary>Length of a part of the sound.</summary>
    public double PartSeconds { get; set; } = 0.25;

    /// <summary>Connections so far, in order.</summary>
    public IReadOnlyList<FakeVoiceSession> Sessions => [.. _sessions];

    /// <summary>What was spoken so far, in the order in which it was begun.</summary>
    public ConcurrentQueue<FakeSpeech> Spoken { get; } = new();

    /// <summary>How clients broke the protocol's rules; a test expects none.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    public Task StartAsync() => _app.StartAsync();

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(0.2));
        await _app.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _app.DisposeAsync();
    }

    /// <summary>The answer to an upgrade that the provider refuses; null accepts it.</summary>
    protected virtual (int Status, string Body)? Refuse(HttpRequest request) => null;

    /// <summary>Speaks with one client until all is said.</summary>
    protected abstract Task ServeAsync(FakeVoiceSession session);

    /// <summary>Sends a part of the sound and what belongs to it.</summary>
    protected delegate Task SendPart(double from, double until, byte[] pcm);

    /// <summary>Tells of an error as the protocol does.</summary>
    protected abstract Task SendQuotaErrorAsync(FakeVoiceSession session);

    /// <summary>Sends the sound of a sentence part by part, or fails as it was told to.</summary>
    protected async Task SpeakAsync(FakeVoiceSession session, FakeSpeech speech, SendPart send)
    {
        Spoken.Enqueue(speech);
        if (Fault == FakeVoiceFault.NeverAnswers) await Forever(session);
        if (Fault == FakeVoiceFault.QuotaExceeded)
        {
            await SendQuotaErrorAsync(session);
            await Forever(session);
        }
        var parts = speech.Parts(PartSeconds).ToList();
        foreach (var (from, until, pcm) in parts)
        {
            if (from > 0 && until >= speech.Seconds / 2 && Fault != FakeVoiceFault.None) await FailAsync(session);
            if (PartDelay > TimeSpan.Zero) await Task.Delay(PartDelay, session.Gone);
            await send(from, until, System.Runtime.InteropServices.MemoryMarshal.AsBytes(pcm.AsSpan()).ToArray());
        }
    }

    protected void Expect(bool rule, string otherwise)
    {
        if (!rule) Violations.Enqueue(otherwise);
    }

    private async Task FailAsync(FakeVoiceSession session)
    {
        switch (Fault)
        {
            case FakeVoiceFault.BreaksMidMessage:
                await session.SendPartAsync("""{"audio":"AAAA""");
                throw new BreakException();
            case FakeVoiceFault.ClosesEarly:
                await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null);
                break;
            case FakeVoiceFault.ClosesWithReason:
                await session.CloseAsync(WebSocketCloseStatus.PolicyViolation, "We are sorry, something went wrong. You are not charged for this request.");
                break;
            case FakeVoiceFault.SendsGarbage:
                await session.SendTextAsync("""{"audio":"AAAA""");
                break;
            case FakeVoiceFault.SendsHugeMessage:
                while (true) await session.SendPartAsync(new string('A', 64 * 1024));
        }
        await Forever(session);
    }

    private static Task Forever(FakeVoiceSession session) => Task.Delay(Timeout.Infinite, session.Gone);

    /// <summary>Serves one request; here an upgrade.</summary>
    protected virtual async Task AnswerAsync(HttpContext context)
    {
        if (Fault == FakeVoiceFault.NeverConnects) await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var refusal = Interlocked.Decrement(ref _outages) >= 0 ? (503, "Back soon.")
            : Fault == FakeVoiceFault.TooManyConnections ? (429, """{"error":"Too many connections."}""") : Refuse(context.Request);
        if (refusal is var (status, body))
        {
            context.Response.StatusCode = status;
            if (status == 429) context.Response.Headers.RetryAfter = "7";
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(body);
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var session = new FakeVoiceSession(context, socket);
        _sessions.Enqueue(session);
        var listening = session.ListenAsync();
        try
        {
            await ServeAsync(session);
        }
        catch (BreakException)
        {
            return;   // the connection ends here, without a goodbye
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // The client left, as some tests want.
        }
        await listening;
    }

    private sealed class BreakException : Exception;

    /// <summary>A member of a message, or null.</summary>
    protected static string? Text(JsonObject message, string name) => message[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
