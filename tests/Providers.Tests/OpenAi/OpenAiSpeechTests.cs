using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics;
using VoiceGrains.Providers.Recognition.OpenAi;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.OpenAi;
using VoiceGrains.Providers.Telemetry;
using VoiceGrains.Providers.Tests.Http;
using VoiceGrains.Providers.Tests.Synthesis;

namespace VoiceGrains.Providers.Tests.OpenAi;

public sealed class OpenAiSpeechTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ATurn_IsSentAsOneWavWithItsLanguage()
    {
        await using var server = await FakeServer.StartAsync(c => c.Response.WriteAsync("""{"text":" Grüß dich. "}"""));
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        await using var turn = Recognizer(endpoint).Start(new("de-AT", null));
        turn.Write([1, 2]);
        turn.Write([3]);
        Assert.Equal("Grüß dich.", await turn.FinishAsync(Cancel));

        var sent = Assert.Single(server.Requests);
        Assert.Equal("/audio/transcriptions", sent.Path);
        var form = await ReadFormAsync(sent);
        Assert.Equal(("whisper-1", "de", "json"), (Encoding.UTF8.GetString(form["model"]), Encoding.UTF8.GetString(form["language"]), Encoding.UTF8.GetString(form["response_format"])));
        Assert.Equal(50, form["file"].Length);
        Assert.Equal("RIFF*\0\0\0WAVE", Encoding.ASCII.GetString(form["file"], 0, 12));
        Assert.Equal([1, 0, 2, 0, 3, 0], form["file"][44..]);
    }

    [Fact]
    public async Task ATurnWithoutSound_AsksNobody()
    {
        using var endpoint = new OpenAiTestEndpoint("http://127.0.0.1:1");
        await using var turn = Recognizer(endpoint).Start(new(null, null));
        Assert.Equal("", await turn.FinishAsync(Cancel));
    }

    [Theory]
    [InlineData(200, "not json", ProviderFault.BadAnswer, "acme sent an answer that is no transcript.")]
    [InlineData(200, "{}", ProviderFault.BadAnswer, "acme sent an answer that is no transcript.")]
    [InlineData(400, """{"error":{"message":"too short"}}""", ProviderFault.Rejected, "acme answered 400 BadRequest: too short")]
    public async Task ATranscriptionThatFails_SaysWhy(int status, string body, ProviderFault fault, string message)
    {
        await using var server = await FakeServer.StartAsync(c => c.Response.FailAsync(status, body));
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        await using var turn = Recognizer(endpoint).Start(new(null, null));
        turn.Write([1]);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => turn.FinishAsync(Cancel));
        Assert.Equal((fault, message), (failure.Fault, failure.Message));
    }

    [Fact]
    public async Task ATranscriptionThatHangs_TimesOut()
    {
        await using var server = await FakeServer.StartAsync(c => c.HangAsync());
        using var endpoint = new OpenAiTestEndpoint(server.Url, o => o.FirstOutputTimeout = TimeSpan.FromSeconds(0.3));
        await using var turn = Recognizer(endpoint).Start(new(null, null));
        turn.Write([1]);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => turn.FinishAsync(Cancel));
        Assert.Equal((ProviderFault.TimedOut, "acme gave no transcript within 0.3 s."), (failure.Fault, failure.Message));
    }

    [Fact]
    public async Task Sentences_AreSpokenInOrderAndTheirEndsAreKnown()
    {
        // The second sentence is answered at once, the first only when the second was asked for: so it was, while the first still waited.
        var secondAsked = new TaskCompletionSource();
        await using var server = await FakeServer.StartAsync(async context =>
        {
            context.Response.ContentType = "audio/pcm";
            var number = context.ReceivedText().Contains("Hi", StringComparison.Ordinal) ? 1 : 2;
            if (number == 1) await secondAsked.Task;
            else secondAsked.TrySetResult();
            await context.Response.WriteInPiecesAsync(SpeechAsserts.Bytes((short)(number * 10), (short)(number * 10 + 1), 7), 1);
        });
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        var chunks = await new OpenAiSynthesizer(endpoint.Endpoint, "tts-1").SynthesizeAsync(new("alloy", 16_000), SpeechAsserts.Pieces("Hi there. ", "  ", "Bye."), Cancel).ToListAsync(Cancel);
        Assert.Equal([10, 11, 7, 20, 21, 7], chunks.SelectMany(c => c.Pcm.ToArray()).Select(s => (int)s));
        Assert.Equal([10, 16], chunks.Where(c => c.TextEnd >= 0).Select(c => c.TextEnd));
        Assert.All(chunks, c => Assert.Equal((24_000, false, -1), (c.SampleRateHz, c.Pcm.IsEmpty, c.EstimatedTextEnd)));
        Assert.Equal(
            ["""{"model":"tts-1","voice":"alloy","input":"Bye.","response_format":"pcm"}""", """{"model":"tts-1","voice":"alloy","input":"Hi there.","response_format":"pcm"}"""],
            server.Requests.Select(r => JsonNode.Parse(r.Text)!.ToJsonString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AFailureInALaterSentence_KeepsTheFormerOnes()
    {
        await using var server = await FakeServer.StartAsync((context, _) =>
        {
            if (context.Request.ContentLength > 70) return context.Response.FailAsync(400, """{"error":{"message":"no such word"}}""");
            context.Response.ContentType = "audio/pcm";
            return context.Response.WriteInPiecesAsync(SpeechAsserts.Bytes(1, 2), 4);
        });
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        var heard = new List<short>();
        var failure = await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await foreach (var chunk in new OpenAiSynthesizer(endpoint.Endpoint, "m").SynthesizeAsync(new("v", 16_000), SpeechAsserts.Pieces("Short. ", "A much longer sentence."), Cancel))
                heard.AddRange(chunk.Pcm.ToArray());
        });
        Assert.Equal("acme answered 400 BadRequest: no such word", failure.Message);
        Assert.Equal([1, 2], heard);
    }

    [Theory]
    [InlineData("application/json", "{}", "acme sent application/json instead of sound.")]
    [InlineData("audio/pcm", "", "acme sent no sound.")]
    public async Task AnAnswerWithoutSound_IsABadAnswer(string type, string body, string message)
    {
        await using var server = await FakeServer.StartAsync(async context =>
        {
            context.Response.ContentType = type;
            await context.Response.WriteAsync(body);
        });
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        var failure = await Assert.ThrowsAsync<ProviderException>(() =>
            new OpenAiSynthesizer(endpoint.Endpoint, "m").SynthesizeAsync(new("v", 16_000), SpeechAsserts.Pieces("Hi."), Cancel).ToListAsync(Cancel).AsTask());
        Assert.Equal((ProviderFault.BadAnswer, message), (failure.Fault, failure.Message));
    }

    [Fact]
    public async Task Cancelling_EndsAllRequestsAtTheServer()
    {
        var bothAsked = new TaskCompletionSource();
        using var aborted = new CountdownEvent(2);
        await using var server = await FakeServer.StartAsync(async (context, number) =>
        {
            if (number == 2) bothAsked.SetResult();
            context.RequestAborted.Register(() => aborted.Signal());
            context.Response.ContentType = "audio/pcm";
            await context.Response.WriteInPiecesAsync(SpeechAsserts.Bytes(1, 2, 3), 6);
            await context.HangAsync();
        });
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in new OpenAiSynthesizer(endpoint.Endpoint, "m").SynthesizeAsync(new("v", 16_000), SpeechAsserts.Pieces("One.", "Two.", "Three."), cancel.Token))
            {
                await bothAsked.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
                await cancel.CancelAsync();
            }
        });
        Assert.True(await Task.Run(() => aborted.Wait(TimeSpan.FromSeconds(30), Cancel), Cancel));
        Assert.Equal(2, server.Requests.Count);
    }

    private static OpenAiRecognizer Recognizer(OpenAiTestEndpoint endpoint)
        => new(endpoint.Endpoint, "whisper-1", new ProviderTelemetry(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), TimeProvider.System));

    private static async Task<Dictionary<string, byte[]>> ReadFormAsync(ReceivedRequest request)
    {
        var boundary = request.Headers["Content-Type"].Split("boundary=")[1].Trim('"');
        var reader = new MultipartReader(boundary, new MemoryStream(request.Body));
        var fields = new Dictionary<string, byte[]>();
        while (await reader.ReadNextSectionAsync(Cancel) is { } section)
        {
            var body = new MemoryStream();
            await section.Body.CopyToAsync(body, Cancel);
            fields[section.GetContentDispositionHeader()!.Name.ToString().Trim('"')] = body.ToArray();
        }
        return fields;
    }
}
