using System.Net.WebSockets;
using System.Text.Json.Nodes;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>
/// LMNT's speech session (https://docs.lmnt.com/api-reference/speech/streaming): the key in the first message, binary sound, "extras" with the times of words
/// from the part's own first sample, closed by the server when all is spoken. Text waits until it is flushed.
/// </summary>
internal sealed class FakeLmnt : FakeVoiceServer
{
    /// <summary>Whether the extras come before their sound, as the provider's own client expects them, or after it.</summary>
    public bool ExtrasFirst { get; set; } = true;

    public static async Task<FakeLmnt> StartNewAsync()
    {
        var server = new FakeLmnt();
        await server.StartAsync();
        return server;
    }

    protected override async Task ServeAsync(FakeVoiceSession session)
    {
        Expect(session.Address == "/v1/ai/speech/stream", $"address {session.Address}");
        JsonObject? opening = null;
        var waiting = "";
        await foreach (var message in session.ReadAsync())
        {
            if (opening is null)
            {
                opening = message;
                if (await FindMistakeAsync(session, opening)) return;
                continue;
            }
            waiting += Text(message, "text");
            var ends = message["eof"] is not null;
            if (waiting.Length > 0 && (ends || message["flush"] is not null))
            {
                await SayAsync(session, await FakeSpeech.SpeakAsync(waiting, opening["sample_rate"]!.GetValue<int>(), session.Gone));
                waiting = "";
            }
            if (!ends) continue;
            await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null);
            return;
        }
    }

    protected override Task SendQuotaErrorAsync(FakeVoiceSession session) => FailAsync(session, "You have used all characters of your plan.");

    private Task SayAsync(FakeVoiceSession session, FakeSpeech speech)
    {
        var told = 0;
        return SpeakAsync(session, speech, async (from, until, pcm) =>
        {
            var words = speech.Words.Skip(told).TakeWhile(w => w.From < until || until >= speech.Seconds).ToList();
            told += words.Count;
            var extras = new JsonObject
            {
                ["buffer_empty"] = until >= speech.Seconds,
                ["durations"] = new JsonArray([.. words.Select(w => new JsonObject
                {
                    ["text"] = speech.Text[w.Start..w.End], ["start"] = w.From - from, ["duration"] = w.Until - w.From,
                })]),
            };
            if (ExtrasFirst) await session.SendAsync(extras);
            await session.SendAsync(pcm);
            if (!ExtrasFirst) await session.SendAsync(extras);
        });
    }

    private async Task<bool> FindMistakeAsync(FakeVoiceSession session, JsonObject opening)
    {
        Expect(Text(opening, "format") == "pcm_s16le" && opening["return_extras"]!.GetValue<bool>(), $"first message {opening}");
        if (Text(opening, "X-API-Key") != Key) await FailAsync(session, "Invalid API key.");
        else if (Text(opening, "voice")!.StartsWith("missing", StringComparison.Ordinal)) await FailAsync(session, $"Voice {Text(opening, "voice")} does not exist.");
        else if (Text(opening, "model") is { } model && model.StartsWith("missing", StringComparison.Ordinal)) await FailAsync(session, $"Unknown model: {model}");
        else return false;
        return true;
    }

    private static async Task FailAsync(FakeVoiceSession session, string words)
    {
        await session.SendAsync(new JsonObject { ["error"] = words });
        await session.CloseAsync(WebSocketCloseStatus.PolicyViolation, null);
    }
}
