using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>
/// Cartesia's WebSocket (https://docs.cartesia.ai/api-reference/tts/websocket): contexts that go on, sound in base64, words timed from the context's first
/// sample. One context at a time, as a call needs.
/// </summary>
internal sealed class FakeCartesia : FakeVoiceServer
{
    public static async Task<FakeCartesia> StartNewAsync()
    {
        var server = new FakeCartesia();
        await server.StartAsync();
        return server;
    }

    protected override (int Status, string Body)? Refuse(HttpRequest request)
        => request.Headers["X-API-Key"] == Key ? null : (401, """{"error_code":"unauthorized","title":"Unauthorized","message":"The API key is not valid.","request_id":"1"}""");

    protected override async Task ServeAsync(FakeVoiceSession session)
    {
        Expect(session.Address.StartsWith("/tts/websocket?cartesia_version=", StringComparison.Ordinal), $"address {session.Address}");
        string? context = null, settings = null;
        var seconds = 0.0;
        await foreach (var message in session.ReadAsync())
        {
            if (message["cancel"] is not null)
            {
                Expect(Text(message, "context_id") == context, "another context was cancelled");
                return;
            }
            if (Text(message, "context_id") != context) (context, settings, seconds) = (Text(message, "context_id"), null, 0);
            var (text, goesOn, rate) = Check(message, ref settings);
            if (await FindMistakeAsync(session, message)) return;
            if (text.Length > 0) seconds = await SayAsync(session, context!, await FakeSpeech.SpeakAsync(text, rate, session.Gone), seconds);
            if (!goesOn)
                await session.SendAsync(new JsonObject { ["type"] = "done", ["done"] = true, ["status_code"] = 200, ["context_id"] = context });
        }
    }

    protected override Task SendQuotaErrorAsync(FakeVoiceSession session) => FailAsync(session, 402, "Payment required", "You have run out of credits.");

    private (string Text, bool GoesOn, int RateHz) Check(JsonObject message, ref string? settings)
    {
        var text = Text(message, "transcript") ?? "";
        var goesOn = message["continue"]?.GetValue<bool>() ?? false;
        var format = message["output_format"]!.AsObject();
        Expect(Text(format, "container") == "raw" && Text(format, "encoding") == "pcm_s16le", $"format {format}");
        Expect(text.Length > 0 || !goesOn, "an empty text that goes on");
        var same = (JsonObject)message.DeepClone();
        same.Remove("transcript");
        same.Remove("continue");
        Expect(settings is null || settings == same.ToJsonString(), "fields changed within a context");
        settings = same.ToJsonString();
        return (text, goesOn, format["sample_rate"]!.GetValue<int>());
    }

    private async Task<double> SayAsync(FakeVoiceSession session, string context, FakeSpeech speech, double origin)
    {
        var told = 0;
        await SpeakAsync(session, speech, async (_, until, pcm) =>
        {
            await session.SendAsync(new JsonObject
            {
                ["type"] = "chunk", ["data"] = Convert.ToBase64String(pcm), ["done"] = false, ["status_code"] = 206, ["step_time"] = 1.5, ["context_id"] = context,
            });
            var words = speech.Words.Skip(told).TakeWhile(w => w.From < until || until >= speech.Seconds).ToList();
            told += words.Count;
            if (words.Count == 0) return;
            await session.SendAsync(new JsonObject
            {
                ["type"] = "timestamps", ["done"] = false, ["status_code"] = 206, ["context_id"] = context,
                ["word_timestamps"] = new JsonObject
                {
                    ["words"] = new JsonArray([.. words.Select(w => JsonValue.Create(speech.Text[w.Start..w.End]))]),
                    ["start"] = new JsonArray([.. words.Select(w => JsonValue.Create(origin + w.From))]),
                    ["end"] = new JsonArray([.. words.Select(w => JsonValue.Create(origin + w.Until))]),
                },
            });
        });
        return origin + speech.Seconds;
    }

    private static async Task<bool> FindMistakeAsync(FakeVoiceSession session, JsonObject message)
    {
        if (Text(message, "model_id")!.StartsWith("missing", StringComparison.Ordinal))
            await FailAsync(session, 400, "Invalid model", "The model is not valid, make sure it is a valid model ID.");
        else if (Text(message["voice"]!.AsObject(), "id")!.StartsWith("missing", StringComparison.Ordinal))
            await FailAsync(session, 404, "Voice not found", "The voice you requested was not found.");
        else return false;
        return true;
    }

    private static Task FailAsync(FakeVoiceSession session, int status, string title, string words)
        => session.SendAsync(new JsonObject { ["type"] = "error", ["done"] = true, ["status_code"] = status, ["error_code"] = null, ["title"] = title, ["message"] = words, ["request_id"] = "1" });
}
