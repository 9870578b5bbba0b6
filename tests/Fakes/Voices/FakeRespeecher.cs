using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>Respeecher's WebSocket (https://space.respeecher.com/docs/space/api/tts/web-socket): contexts that go on, sound in base64, no times of words.</summary>
internal sealed class FakeRespeecher : FakeVoiceServer
{
    public static async Task<FakeRespeecher> StartNewAsync()
    {
        var server = new FakeRespeecher();
        await server.StartAsync();
        return server;
    }

    protected override (int Status, string Body)? Refuse(HttpRequest request)
    {
        if (request.Headers["X-API-Key"] != Key) return (401, """{"detail":"Invalid API key"}""");
        return request.Path.Value!.Contains("missing", StringComparison.Ordinal) ? (404, """{"detail":"Not Found"}""") : null;
    }

    protected override async Task ServeAsync(FakeVoiceSession session)
    {
        Expect(session.Address.EndsWith("/tts/websocket", StringComparison.Ordinal), $"address {session.Address}");
        string? context = null;
        await foreach (var message in session.ReadAsync())
        {
            context ??= Text(message, "context_id");
            Expect(Text(message, "context_id") == context, "another context");
            if (message["cancel"] is not null) return;
            var (text, format) = (Text(message, "transcript") ?? "", message["output_format"]!.AsObject());
            Expect(Text(format, "encoding") == "pcm_s16le", $"format {format}");
            if (Text(message["voice"]!.AsObject(), "id")!.StartsWith("missing", StringComparison.Ordinal))
            {
                await FailAsync(session, context, 404, $"Voice {Text(message["voice"]!.AsObject(), "id")} not found");
                return;
            }
            if (text.Length > 0) await SayAsync(session, context, await FakeSpeech.SpeakAsync(text, (int)format["sample_rate"]!, session.Gone));
            if (!(bool)message["continue"]!) await session.SendAsync(new JsonObject { ["type"] = "done", ["context_id"] = context });
        }
    }

    protected override Task SendQuotaErrorAsync(FakeVoiceSession session) => FailAsync(session, null, 402, "Insufficient credits");

    private Task SayAsync(FakeVoiceSession session, string? context, FakeSpeech speech) => SpeakAsync(session, speech, (_, _, pcm) =>
        session.SendAsync(new JsonObject { ["type"] = "chunk", ["data"] = Convert.ToBase64String(pcm), ["context_id"] = context }));

    private static Task FailAsync(FakeVoiceSession session, string? context, int status, string words)
        => session.SendAsync(new JsonObject { ["type"] = "error", ["error"] = words, ["status_code"] = status, ["context_id"] = context });
}
