using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>
/// ElevenLabs' <c>stream-input</c> (https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-stream-input) in <c>auto_mode</c>:
/// each text is spoken at once, characters are timed from their own message's first sample. Errors are a message and a close with the same reason.
/// </summary>
internal sealed class FakeElevenLabs : FakeVoiceServer
{
    /// <summary>The highest rate of the account's tier.</summary>
    public int HighestRateHz { get; set; } = 48_000;

    public static async Task<FakeElevenLabs> StartNewAsync()
    {
        var server = new FakeElevenLabs();
        await server.StartAsync();
        return server;
    }

    protected override (int Status, string Body)? Refuse(HttpRequest request)
        => request.Headers["xi-api-key"] == Key ? null : (403, """{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}""");

    protected override async Task ServeAsync(FakeVoiceSession session)
    {
        var parts = session.Address.Split('?');
        var query = QueryHelpers.ParseQuery(parts[1]);
        var voice = parts[0].Split('/')[3];
        Expect(parts[0] == $"/v1/text-to-speech/{voice}/stream-input", $"path {parts[0]}");
        var rate = int.Parse(query["output_format"].ToString()["pcm_".Length..], System.Globalization.CultureInfo.InvariantCulture);
        var first = true;
        await foreach (var message in session.ReadAsync())
        {
            var text = Text(message, "text");
            if (first)
            {
                Expect(text == " ", $"the first text is '{text}'");
                if (await FindMistakeAsync(session, query["model_id"].ToString(), voice, rate)) return;
                first = false;
            }
            else if (text == "")
            {
                await session.SendAsync(new JsonObject { ["isFinal"] = true });
                await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null);
                return;
            }
            else
            {
                Expect(text is not null && text.EndsWith(' '), $"the text '{text}' does not end with a space");
                await SayAsync(session, await FakeSpeech.SpeakAsync(text ?? "", rate, session.Gone));
            }
        }
    }

    protected override Task SendQuotaErrorAsync(FakeVoiceSession session)
        => FailAsync(session, "quota_exceeded", "This request exceeds your quota of 10000. You have 14 credits remaining, while 46 credits are required for this request.");

    private Task SayAsync(FakeVoiceSession session, FakeSpeech speech)
    {
        var characters = speech.Characters().ToList();
        var said = 0;
        return SpeakAsync(session, speech, (from, until, pcm) =>
        {
            var count = characters.Skip(said).TakeWhile(c => c.From < until || until >= speech.Seconds).Count();
            var here = characters.GetRange(said, count);
            said += count;
            return session.SendAsync(new JsonObject
            {
                ["audio"] = Convert.ToBase64String(pcm),
                ["isFinal"] = null,
                ["normalizedAlignment"] = null,
                ["alignment"] = count == 0 ? null : new JsonObject
                {
                    ["chars"] = new JsonArray([.. here.Select(c => JsonValue.Create(c.Character.ToString()))]),
                    ["charStartTimesMs"] = new JsonArray([.. here.Select(c => JsonValue.Create((int)Math.Round((c.From - from) * 1000)))]),
                    ["charDurationsMs"] = new JsonArray([.. here.Select(c => JsonValue.Create((int)Math.Round((c.Until - c.From) * 1000)))]),
                },
            });
        });
    }

    private async Task<bool> FindMistakeAsync(FakeVoiceSession session, string model, string voice, int rate)
    {
        if (model.StartsWith("missing", StringComparison.Ordinal)) await FailAsync(session, "model_not_found", "A model with requested ID does not exist");
        else if (voice.StartsWith("missing", StringComparison.Ordinal)) await FailAsync(session, "voice_id_does_not_exist", $"A voice with voice_id {voice} does not exist.");
        else if (rate > HighestRateHz)
            await FailAsync(session, "output_format_not_allowed", $"Requested output format pcm_{rate} (PCM at {rate}hz) is only allowed for Pro tier and above.");
        else return false;
        return true;
    }

    private static async Task FailAsync(FakeVoiceSession session, string error, string words)
    {
        await session.SendAsync(new JsonObject { ["message"] = words, ["error"] = error, ["code"] = 1008 });
        await session.CloseAsync(WebSocketCloseStatus.PolicyViolation, words.Length <= 120 ? words : words[..120]);
    }
}
