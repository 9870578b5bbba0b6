using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>
/// Inworld's <c>voice:stream</c> (https://docs.inworld.ai/api-reference/ttsAPI/texttospeech/synthesize-speech-stream): a line of JSON for each part of the
/// sound, each with a WAV header, and the words that begin in it with their times from the request's first sample.
/// </summary>
internal sealed class FakeInworld : FakeHttpVoiceServer
{
    /// <summary>Whether the quota's end is told by the status, or amid the answer.</summary>
    public bool FailsAmidAnswer { get; set; }

    public static async Task<FakeInworld> StartNewAsync()
    {
        var server = new FakeInworld();
        await server.StartAsync();
        return server;
    }

    protected override (int Status, string Body) QuotaError => (429, """{"code":8,"message":"You have exceeded your credit limit.","details":[]}""");

    protected override (int Status, string Body)? Refuse(HttpRequest request)
    {
        Expect(request.Path == "/tts/v1/voice:stream" && request.Method == "POST", $"{request.Method} {request.Path}");
        return request.Headers.Authorization == $"Basic {Key}" ? null : (401, """{"code":16,"message":"Invalid authorization credentials","details":[]}""");
    }

    protected override (int Status, string Body)? MistakeIn(JsonObject body)
    {
        Expect((string?)body["audioConfig"]!["audioEncoding"] == "LINEAR16" && (string?)body["timestampType"] == "WORD", $"request {body}");
        if (((string)body["voiceId"]!).StartsWith("missing", StringComparison.Ordinal)) return (404, $$"""{"code":5,"message":"Unknown voice: {{body["voiceId"]}} not found!","details":[]}""");
        return ((string)body["modelId"]!).StartsWith("missing", StringComparison.Ordinal) ? (400, $$"""{"code":3,"message":"Invalid model: {{body["modelId"]}}","details":[]}""") : null;
    }

    protected override (string Text, int SampleRateHz) Wanted(JsonObject body) => ((string)body["text"]!, (int)body["audioConfig"]!["sampleRateHertz"]!);

    protected override IEnumerable<string> Parts(FakeSpeech speech)
    {
        var told = 0;
        foreach (var (from, until, pcm) in speech.Parts(PartSeconds))
        {
            if (FailsAmidAnswer && from > 0)
            {
                yield return """{"error":{"code":8,"message":"You have exceeded your credit limit.","details":[]}}""" + "\n";
                yield break;
            }
            var words = speech.Words.Skip(told).TakeWhile(w => w.From < until || until >= speech.Seconds).ToList();
            told += words.Count;
            yield return new JsonObject
            {
                ["result"] = new JsonObject
                {
                    ["audioContent"] = Wav(pcm, speech.SampleRateHz),
                    ["usage"] = new JsonObject { ["processedCharactersCount"] = speech.Text.Length },
                    ["timestampInfo"] = new JsonObject
                    {
                        ["wordAlignment"] = new JsonObject
                        {
                            ["words"] = new JsonArray([.. words.Select(w => JsonValue.Create(speech.Text[w.Start..w.End]))]),
                            ["wordStartTimeSeconds"] = new JsonArray([.. words.Select(w => JsonValue.Create(w.From))]),
                            ["wordEndTimeSeconds"] = new JsonArray([.. words.Select(w => JsonValue.Create(w.Until))]),
                        },
                    },
                },
            }.ToJsonString() + "\n";
        }
    }
}
