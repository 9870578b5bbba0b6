using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>A provider that takes a sentence for each POST.</summary>
internal abstract class FakeHttpVoiceServer : FakeVoiceServer
{
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string Url => base.Url.Replace("ws://", "http://", StringComparison.Ordinal);

    /// <summary>Path, headers and body of each request, in order.</summary>
    public ConcurrentQueue<(string Path, IHeaderDictionary Headers, JsonObject Body)> Requests { get; } = new();

    /// <summary>A client gave up a request that was not answered to its end.</summary>
    public Task Aborted => _aborted.Task;

    /// <summary>Status and body of the error for a quota that is used up.</summary>
    protected abstract (int Status, string Body) QuotaError { get; }

    /// <summary>What is wrong with a request, as the provider says it; null for nothing.</summary>
    protected abstract (int Status, string Body)? MistakeIn(JsonObject body);

    /// <summary>The text and the rate that a request asks for.</summary>
    protected abstract (string Text, int SampleRateHz) Wanted(JsonObject body);

    /// <summary>The answer, in the parts in which it is sent.</summary>
    protected abstract IEnumerable<string> Parts(FakeSpeech speech);

    protected sealed override Task ServeAsync(FakeVoiceSession session) => throw new NotSupportedException();

    protected sealed override Task SendQuotaErrorAsync(FakeVoiceSession session) => throw new NotSupportedException();

    protected sealed override async Task AnswerAsync(HttpContext context)
    {
        try
        {
            var body = (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted))!.AsObject();
            Requests.Enqueue((context.Request.Path, context.Request.Headers, body));
            if (Fault is FakeVoiceFault.NeverConnects or FakeVoiceFault.NeverAnswers) await Forever(context);
            if ((Refuse(context.Request) ?? Problem(body)) is var (status, error))
            {
                context.Response.StatusCode = status;
                if (status == 429) context.Response.Headers.RetryAfter = "7";
                await context.Response.WriteAsync(error, context.RequestAborted);
                return;
            }
            var (text, rate) = Wanted(body);
            var speech = await FakeSpeech.SpeakAsync(text, rate, context.RequestAborted);
            Spoken.Enqueue(speech);
            await SendAsync(context, [.. Parts(speech)]);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            _aborted.TrySetResult();
        }
    }

    /// <summary>Raw samples as a WAV file in base64.</summary>
    protected static string Wav(short[] pcm, int sampleRateHz)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        var length = pcm.Length * sizeof(short);
        writer.Write("RIFF"u8);
        writer.Write(36 + length);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)1);
        writer.Write((short)1);
        writer.Write(sampleRateHz);
        writer.Write(sampleRateHz * sizeof(short));
        writer.Write((short)sizeof(short));
        writer.Write((short)16);
        writer.Write("data"u8);
        writer.Write(length);
        writer.Write(MemoryMarshal.AsBytes(pcm.AsSpan()));
        writer.Flush();
        return Convert.ToBase64String(file.ToArray());
    }

    private (int Status, string Body)? Problem(JsonObject body) => Fault switch
    {
        FakeVoiceFault.QuotaExceeded => QuotaError,
        FakeVoiceFault.TooManyConnections => (429, """{"error":{"message":"Too many connections."}}"""),
        _ => MistakeIn(body),
    };

    private async Task SendAsync(HttpContext context, List<string> parts)
    {
        context.Response.ContentType = "application/json";
        for (var i = 0; i < parts.Count; i++)
        {
            if (Fault != FakeVoiceFault.None && i >= parts.Count / 2) await FailAsync(context, parts[i]);
            if (PartDelay > TimeSpan.Zero) await Task.Delay(PartDelay, context.RequestAborted);
            await context.Response.WriteAsync(parts[i], context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    /// <summary>Goes wrong within a part.</summary>
    private async Task FailAsync(HttpContext context, string part)
    {
        if (Fault == FakeVoiceFault.SendsHugeMessage)
        {
            while (true) await context.Response.WriteAsync(new string('A', 64 * 1024), context.RequestAborted);
        }
        await context.Response.WriteAsync(Fault == FakeVoiceFault.SendsGarbage ? part[..(part.Length / 2)] + "\n" : part[..(part.Length / 2)], context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        if (Fault == FakeVoiceFault.BreaksMidMessage)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), context.RequestAborted);     // an abort takes along what is still in its buffers
            context.Abort();
        }
        if (Fault is FakeVoiceFault.SendsGarbage or FakeVoiceFault.ClosesEarly) await context.Response.CompleteAsync();
        await Forever(context);
    }

    private static Task Forever(HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted);
}
