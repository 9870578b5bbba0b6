using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Voices;

/// <summary>Own voices in live calls, at a provider that speaks ElevenLabs' protocol over a real socket; the server's default voice is scripted.</summary>
public sealed class VoiceInCallTests(LiveSilo silo)
{
    private const string Greeting = "Hello there.";

    [Fact]
    public async Task AnOwnVoice_SpeaksWithTheAccountsKey_AndTheCallsOverrides()
    {
        using var client = await silo.CreateClientAsync();
        await MakeVoiceAsync(client, "own-voice", silo.ElevenLabs.Key);
        await using var call = await LiveCall.JoinAsync(client, Request("""{"voice":"ANNA","voiceOverrides":{"elevenLabs":{"speed":0.9}}}"""));
        var said = await call.WaitForFinalAsync("agent");
        Assert.Equal(Greeting, said.Json.GetProperty("text").GetString());
        Assert.True(call.HasSound(0, said.At), call.Story());
        await call.LeaveAsync();

        var session = Assert.Single(silo.ElevenLabs.Sessions, s => s.Address.Contains("/own-voice/", StringComparison.Ordinal));
        Assert.Contains("model_id=eleven_turbo_v2_5", session.Address, StringComparison.Ordinal);
        Assert.Equal(silo.ElevenLabs.Key, session.Headers["xi-api-key"]);
        var settings = session.Messages[0]["voice_settings"]!;
        Assert.Equal((0.9, 0.4), (settings["speed"]!.GetValue<double>(), settings["stability"]!.GetValue<double>()));
        Assert.Empty(silo.ElevenLabs.Violations);
        Assert.DoesNotContain(await call.ListAsync("events"), e => e.GetProperty("severity").GetString() == "error");
        Assert.Equal("ANNA", (await client.GetAsync($"/api/calls/{call.CallId}")).Json.GetProperty("voice").GetString());
    }

    [Theory]
    [InlineData("voice", "Voice 'Anna' does not exist. Another voice speaks instead.")]
    [InlineData("key", "The account has no API key for ElevenLabs. Set one with PATCH /api/accounts/me/tts_api_keys. Another voice speaks instead.")]
    public async Task AVoiceThatHasGoneSinceTheCallWasMade_IsReplacedByTheDefaultVoice_AndTheCallSaysWhy(string gone, string words)
    {
        using var client = await silo.CreateClientAsync();
        var path = await MakeVoiceAsync(client, "gone-voice", silo.ElevenLabs.Key);
        await using var call = await LiveCall.CreateAsync(client, Request("""{"voice":"Anna"}"""));
        if (gone == "voice") Assert.Equal(204, (await client.DeleteAsync(path)).Status);
        else await client.PatchAsync("/api/accounts/me/tts_api_keys", """{"elevenLabs":null}""");

        await call.JoinAsync();
        var said = await call.WaitForFinalAsync("agent");
        Assert.Equal(Greeting, said.Json.GetProperty("text").GetString());
        Assert.True(call.HasSound(0, said.At), call.Story());
        await call.LeaveAsync();
        Assert.Equal("error", Assert.Single(await call.ListUntilAsync("events?type=voice_unavailable", events => events.Count > 0)).GetProperty("severity").GetString());
        Assert.Equal(words, (await call.ListAsync("events?type=voice_unavailable"))[0].GetProperty("text").GetString());
        Assert.DoesNotContain(silo.ElevenLabs.Sessions, s => s.Address.Contains("/gone-voice/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AStage_ChangesToAnOwnVoice_AndIsRefusedOneWithoutAKey()
    {
        using var client = await silo.CreateClientAsync();
        await MakeVoiceAsync(client, "stage-voice", silo.ElevenLabs.Key);
        var results = 0;
        var script = silo.Chat.Play(request => request.LastRole != "tool" ? ChatReply.Call("change", new { }) : ChatReply.Say(++results == 1 ? "No." : "Here I am."));
        var request = LiveCall.Request($"Be kind. {script.Mark}", """{"firstSpeakerSettings":{"user":{}}}""");
        request["model"] = ScriptedChat.Model;
        request["selectedTools"] = JsonNode.Parse("""[{"temporaryTool":{"modelToolName":"change","description":"Changes the voice.","client":{}}}]""");
        await using var call = await LiveCall.JoinAsync(client, request);

        await ChangeAsync("""{"externalVoice":{"cartesia":{"voiceId":"v"}}}""", "No.");
        await ChangeAsync("""{"voice":"Anna"}""", "Here I am.");
        await call.LeaveAsync();
        var session = Assert.Single(silo.ElevenLabs.Sessions, s => s.Address.Contains("/stage-voice/", StringComparison.Ordinal));
        Assert.Contains(session.Messages, message => (string?)message["text"] == "Here I am. ");
        var errors = (await call.ListAsync("events")).Where(e => e.GetProperty("severity").GetString() == "error").ToList();
        Assert.Contains("The account has no API key for Cartesia.", Assert.Single(errors).GetProperty("text").GetString(), StringComparison.Ordinal);

        async Task ChangeAsync(string stage, string answer)
        {
            var asked = call.Now;
            await call.SendAsync("""{"type":"user_text_message","text":"Another voice, please."}""");
            var invoked = await call.WaitForAsync("client_tool_invocation", after: asked);
            var result = new { type = "client_tool_result", invocationId = invoked.Json.GetProperty("invocationId").GetString(), responseType = "new-stage", result = stage };
            await call.SendAsync(JsonSerializer.Serialize(result));
            Assert.Equal(answer, (await call.WaitForFinalAsync("agent", asked)).Json.GetProperty("text").GetString());
        }
    }

    [Fact]
    public async Task APreview_IsTheVoicesSound_OrTheProvidersError()
    {
        using var client = await silo.CreateClientAsync();
        var path = await MakeVoiceAsync(client, "preview-voice", silo.ElevenLabs.Key);
        using var preview = await client.Http.GetAsync($"{path}/preview", SiloFixture.Cancel);
        Assert.Equal((HttpStatusCode.OK, "audio/wav"), (preview.StatusCode, preview.Content.Headers.ContentType?.MediaType));
        var wav = await preview.Content.ReadAsByteArrayAsync(SiloFixture.Cancel);
        Assert.Equal("RIFF", Encoding.ASCII.GetString(wav, 0, 4));
        Assert.True(wav.Length > 40_000, $"{wav.Length} bytes are no sentence");

        var missing = await client.PostAsync("/api/voice_preview", """{"definition":{"elevenLabs":{"voiceId":"missing-voice"}}}""");
        Assert.Equal((400, "voice_failed"), (missing.Status, missing.Json.GetProperty("code").GetString()));
        Assert.Contains("A voice with voice_id missing-voice does not exist.", missing.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await client.PatchAsync("/api/accounts/me/tts_api_keys", """{"elevenLabs":"another-key-of-somebody"}""");
        var refused = await client.GetAsync($"{path}/preview");
        Assert.Equal(400, refused.Status);
        Assert.DoesNotContain("another-key-of-somebody", refused.Text, StringComparison.Ordinal);
    }

    private static JsonObject Request(string more)
    {
        var request = LiveCall.Request("Be kind.", more);
        request["firstSpeakerSettings"] = JsonNode.Parse($$$"""{"agent":{"text":"{{{Greeting}}}"}}""");
        return request;
    }

    private static async Task<string> MakeVoiceAsync(ApiClient client, string voiceId, string key)
    {
        await client.PatchAsync("/api/accounts/me/tts_api_keys", JsonSerializer.Serialize(new { elevenLabs = key }));
        var definition = new { elevenLabs = new { voiceId, model = "eleven_turbo_v2_5", speed = 1.1, stability = 0.4 } };
        var made = await client.PostAsync("/api/voices", JsonSerializer.Serialize(new { name = "Anna", definition }));
        Assert.Equal(201, made.Status);
        return $"/api/voices/{made.Json.GetProperty("voiceId").GetString()}";
    }
}
