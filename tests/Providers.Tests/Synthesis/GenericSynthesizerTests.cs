using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using VoiceGrains.Providers.Audio;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Generic;
using VoiceGrains.Providers.Tests.Http;

namespace VoiceGrains.Providers.Tests.Synthesis;

public sealed class GenericSynthesizerTests
{
    private static readonly short[] Sound = [1, -2, 300, -400, 5];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheRequest_IsTheTenantsOwnWithTheTextFilledIn()
    {
        await using var server = await FakeServer.StartAsync(c => AnswerAsync(c, "audio/pcm", SpeechAsserts.Bytes(Sound)));
        var voice = Voice(server, """{"input":{"ssml":["<s>{text}</s>",{"again":"{text}{text}"}]},"speed":1.0,"n":null}""") with
        {
            Headers = new Dictionary<string, string> { ["Authorization"] = "Token abc", ["Content-Type"] = "application/json; charset=utf-8", ["Accept"] = "audio/wav" },
        };
        await SpeakAsync(voice, " Say \"hi\" ü. ");
        var sent = Assert.Single(server.Requests);
        Assert.Equal(("POST", "/speak?x=1", "Token abc", "application/json; charset=utf-8", "audio/wav"),
            (sent.Method, sent.Path, sent.Headers["Authorization"], sent.Headers["Content-Type"], sent.Headers["Accept"]));
        Assert.Equal(
            JsonNode.Parse("""{"input":{"ssml":["<s>Say \"hi\" ü.</s>",{"again":"Say \"hi\" ü.Say \"hi\" ü."}]},"speed":1.0,"n":null}""")!.ToJsonString(),
            JsonNode.Parse(sent.Text)!.ToJsonString());
    }

    public static TheoryData<string, string?, string?, bool, string> Forms => new()
    {
        // Content-Type, responseMimeType, jsonAudioFieldPath, hex, body with {pcm}, {wav} in the encoding, or a bare form
        { "audio/pcm", null, null, false, "pcm" },
        { "audio/wav", null, null, false, "wav" },
        { "audio/wav", "audio/l16", null, false, "pcm" },
        { "audio/L16; rate=24000", null, null, false, "pcm" },
        { "text/plain", "audio/wav", null, false, "wav" },
        { "application/octet-stream", null, null, false, "wav" },
        { "application/json", null, "audioContent", false, """{"audioContent":"{wav}"}""" },
        { "application/json; charset=utf-8", null, "a.b", true, """{"a":{"c":1,"b":"{pcm}"}}""" },
        { "application/json", null, "audios", false, """{"audios":["{pcm}"]}""" },
        { "application/json", null, "x.1.y", false, """{"x":[{"y":"AAAA"},{"y":"{pcm}"}]}""" },
        { "application/json", null, "x[1].y", false, """{"x":[{"y":"AAAA"},{"y":"{pcm}"}]}""" },
        { "application/json", "application/jsonl", "result.audioContent", false, "{\"result\":{\"audioContent\":\"{wav}\"}}\n\n{\"done\":true}" },
        { "application/x-ndjson", null, "d", true, "{\"d\":\"{pcm}\"}\r\n" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task EveryDocumentedForm_IsUnderstoodHoweverItIsCut(string contentType, string? mimeType, string? path, bool hex, string body)
    {
        var (pcm, wav) = (SpeechAsserts.Bytes(Sound), Wav.Encode(Sound, 24_000));
        byte[] answer = body switch
        {
            "pcm" => pcm,
            "wav" => wav,
            _ => Encoding.UTF8.GetBytes(body.Replace("{pcm}", Text(pcm), StringComparison.Ordinal).Replace("{wav}", Text(wav), StringComparison.Ordinal)),
        };
        foreach (var size in new[] { 1, 5, 1000 })
        {
            await using var server = await FakeServer.StartAsync(async c =>
            {
                c.Response.ContentType = contentType;
                await c.Response.WriteInPiecesAsync(answer, size);
            });
            var chunks = await SpeakAsync(Voice(server) with
            {
                ResponseMimeType = mimeType, JsonAudioFieldPath = path, JsonByteEncoding = hex ? AudioTextEncoding.Hex : AudioTextEncoding.Base64,
            }, "Hi.");
            Assert.Equal(Sound, chunks.SelectMany(c => c.Pcm.ToArray()));
            Assert.All(chunks, c => Assert.Equal(24_000, c.SampleRateHz));
            Assert.Equal((3, -1), (chunks[^1].TextEnd, chunks[^1].EstimatedTextEnd));
        }
        string Text(byte[] bytes) => hex ? Convert.ToHexString(bytes) : Convert.ToBase64String(bytes);
    }

    [Fact]
    public async Task JsonLines_AreHeardLineByLine()
    {
        var goOn = new TaskCompletionSource();
        await using var server = await FakeServer.StartAsync(async c =>
        {
            c.Response.ContentType = "application/jsonl";
            await c.Response.WriteAsync($"{{\"a\":\"{Convert.ToBase64String(Wav.Encode([1, 2], 24_000))}\"}}\n");
            await c.Response.Body.FlushAsync();
            await goOn.Task;
            await c.Response.WriteAsync($"{{\"a\":\"{Convert.ToBase64String(Wav.Encode([3, 4], 24_000))}\"}}\n");
        });
        using var pool = Pool(out var guard);
        await using var chunks = new GenericSynthesizer(Voice(server) with { JsonAudioFieldPath = "a" }, pool, guard, TimeProvider.System)
            .SynthesizeAsync(new("", 8_000), SpeechAsserts.Pieces("Hi."), Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await chunks.MoveNextAsync());
        goOn.SetResult();
        List<short> heard = [.. chunks.Current.Pcm.ToArray()];
        while (await chunks.MoveNextAsync())
            heard.AddRange(chunks.Current.Pcm.ToArray());
        Assert.Equal([1, 2, 3, 4], heard);
    }

    [Fact]
    public async Task WhileSoundStreamsIn_TextIsGuessedFromWordsPerMinute()
    {
        await using var server = await FakeServer.StartAsync(async c =>
        {
            c.Response.ContentType = "audio/pcm";
            await c.Response.WriteInPiecesAsync(new byte[2 * 24_000], 4_800);   // 1 s in tenths
        });
        var chunks = await SpeakAsync(Voice(server) with { ResponseWordsPerMinute = 120 }, "One two three four.");   // guessed as 2 s
        var guesses = chunks.SkipLast(1).ToList();
        Assert.All(guesses, c => Assert.Equal(-1, c.TextEnd));
        Assert.Equal(9, guesses[^1].EstimatedTextEnd);    // half of the 19 characters after 1 s
        Assert.Equal(guesses.Select(g => g.EstimatedTextEnd).Order(), guesses.Select(g => g.EstimatedTextEnd));
        Assert.Equal((19, -1), (chunks[^1].TextEnd, chunks[^1].EstimatedTextEnd));
    }

    [Theory]
    [InlineData(400, ProviderFault.Rejected)]
    [InlineData(408, ProviderFault.TimedOut)]
    [InlineData(429, ProviderFault.RateLimited)]
    [InlineData(503, ProviderFault.ServerError)]
    [InlineData(504, ProviderFault.TimedOut)]
    public async Task AnHttpError_IsTheSameFaultAsWithAnyProvider(int status, ProviderFault fault)
    {
        await using var server = await FakeServer.StartAsync(c => c.Response.FailAsync(status, "no"));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => SpeakAsync(Voice(server), "Hello."));
        Assert.Equal((fault, status), (failure.Fault, failure.Status));
    }

    [Fact]
    public async Task AnHttpError_ReadsAsDocumented()
    {
        await using var server = await FakeServer.StartAsync(c => c.Response.FailAsync(500, """{"error": "Internal server error"}"""));
        var voice = Voice(server) with { Headers = new Dictionary<string, string> { ["Authorization"] = "Token secret" } };
        var failure = await Assert.ThrowsAsync<ProviderException>(() => SpeakAsync(voice, "How can I help you?"));
        Assert.Equal("""HTTP error: 500 Response:{"error": "Internal server error"} Request:{"text":"How can I help you?"}""", failure.Message);
        Assert.Equal((ProviderFault.ServerError, 500, "generic"), (failure.Fault, failure.Status, failure.Provider));
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("audio/mpeg", "ID3", null, "its type audio/mpeg is no audio or JSON that we understand; set responseMimeType")]
    [InlineData("audio/pcm", "", null, "it holds no sound")]
    [InlineData("application/json", "{\"x\":1}", "audio", "it has no audio at 'audio'")]
    [InlineData("application/json", "{\"audio\":\"?!\"}", "audio", "its audio field is no base64")]
    [InlineData("application/json", "{\"audio", "audio", "it is no JSON")]
    [InlineData("audio/wav", "RIFF1234AVI ", null, "it is no WAV that we can read: NotWav")]
    public async Task WhatCannotBePlayed_SaysWhyAndWhatWasAsked(string type, string body, string? path, string problem)
    {
        await using var server = await FakeServer.StartAsync(c => AnswerAsync(c, type, Encoding.UTF8.GetBytes(body)));
        var failure = await Assert.ThrowsAsync<ProviderException>(() => SpeakAsync(Voice(server) with { JsonAudioFieldPath = path }, "Hi."));
        Assert.Equal(ProviderFault.BadAnswer, failure.Fault);
        Assert.StartsWith($"The response cannot be played: {problem}", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("Request:{\"text\":\"Hi.\"}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAnswerThatBreaksOff_KeepsItsSound()
    {
        var heardSome = new TaskCompletionSource();
        await using var server = await FakeServer.StartAsync(async c =>
        {
            c.Response.ContentType = "audio/pcm";
            await c.Response.WriteInPiecesAsync(SpeechAsserts.Bytes(1, 2, 3), 6);
            await heardSome.Task;
            c.Abort();
        });
        using var pool = Pool(out var guard);
        var failure = await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await foreach (var _ in new GenericSynthesizer(Voice(server), pool, guard, TimeProvider.System).SynthesizeAsync(new("", 8_000), SpeechAsserts.Pieces("Hi."), Cancel))
                heardSome.TrySetResult();
        });
        Assert.Equal(ProviderFault.BrokeOff, failure.Fault);
    }

    [Fact]
    public async Task AnInsideAddress_IsRefusedBeforeAnythingIsSent()
    {
        await using var server = await FakeServer.StartAsync(_ => Task.CompletedTask);
        var guard = new OutboundGuard(new OutboundOptions(), System.Net.Dns.GetHostAddressesAsync);
        using var pool = new ProviderHttpPool(guard);
        foreach (var url in new[] { server.Url, server.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) })
        {
            var voice = Voice(server) with { Url = url };
            var failure = await Assert.ThrowsAsync<ProviderException>(() =>
                new GenericSynthesizer(voice, pool, guard, TimeProvider.System).SynthesizeAsync(new("", 8_000), SpeechAsserts.Pieces("Hi."), Cancel).ToListAsync(Cancel).AsTask());
            Assert.Equal(ProviderFault.Rejected, failure.Fault);
            Assert.EndsWith("leads to a loopback address: only public addresses and those of the setting Outbound:AllowedNetworks are allowed.", failure.Message, StringComparison.Ordinal);
        }
        Assert.Empty(server.Requests);
    }

    [Fact]
    public void ADefinition_IsCheckedFieldByField()
    {
        var guard = new OutboundGuard(new OutboundOptions(), (_, _) => throw new InvalidOperationException());
        var good = new GenericVoiceDefinition { Url = "https://tts.example/v1", Body = new() { ["text"] = "{text}" }, ResponseSampleRate = 24_000 };
        Assert.Empty(GenericVoiceRules.FindProblems(good, guard));
        var bad = new GenericVoiceDefinition
        {
            Url = "ftp://x", Body = new() { ["text"] = "text" }, ResponseSampleRate = 1, ResponseWordsPerMinute = 0, ResponseMimeType = "audio/mpeg",
            Headers = new Dictionary<string, string> { ["Host"] = "a", ["X Y"] = "b", ["Z"] = "c\r\nEvil: 1" },
        };
        Assert.Equal(["url", "headers", "headers", "headers", "body", "responseSampleRate", "responseWordsPerMinute", "responseMimeType"], GenericVoiceRules.FindProblems(bad, guard).Select(p => p.Field));
        Assert.Equal([("url", "Host '10.0.0.1' leads to a private address: only public addresses and those of the setting Outbound:AllowedNetworks are allowed."), ("jsonAudioFieldPath", "Must be set for JSON responses.")],
            GenericVoiceRules.FindProblems(good with { Url = "http://10.0.0.1/", ResponseMimeType = "application/json" }, guard));
    }

    private static Task AnswerAsync(HttpContext context, string contentType, byte[] body)
    {
        context.Response.ContentType = contentType;
        return context.Response.Body.WriteAsync(body).AsTask();
    }

    private static GenericVoiceDefinition Voice(FakeServer server, string body = """{"text":"{text}"}""")
        => new() { Url = server.Url + "/speak?x=1", Body = JsonNode.Parse(body)!.AsObject(), ResponseSampleRate = 24_000 };

    private static async Task<List<SpeechChunk>> SpeakAsync(GenericVoiceDefinition voice, string text)
    {
        using var pool = Pool(out var guard);
        return await new GenericSynthesizer(voice, pool, guard, TimeProvider.System).SynthesizeAsync(new("", 8_000), SpeechAsserts.Pieces(text), Cancel).ToListAsync(Cancel);
    }

    private static ProviderHttpPool Pool(out OutboundGuard guard)
        => new(guard = new OutboundGuard(new OutboundOptions { AllowedNetworks = ["127.0.0.1/32"] }, System.Net.Dns.GetHostAddressesAsync));
}
