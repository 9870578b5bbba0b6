using System.Text.Json;
using VoiceGrains.Gateway.Talk;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>
/// The scenarios of <c>tests/Browser</c>, run once and together: one Chromium, a tab for each, and as its microphone a person who says "go forward ten meters" every
/// few seconds. The silo is the one of the other live calls; its recognizer is pocketsphinx, its voice flite's, its model scripted.
/// </summary>
public sealed class BrowserCalls(LiveSilo silo) : IAsyncLifetime
{
    private const int PauseSeconds = 6;

    /// <summary>Long enough to be interrupted, whenever the person speaks again.</summary>
    private const string Story = "Once upon a time there was a server that listened. It lived in a quiet room, and people came to it from far away to ask it for the way. "
        + "To each of them it said the same: go on until you see the river, then turn left at the old mill. One day a traveller asked where the river comes from. "
        + "The server thought about it for a long while, and then it said that it would have to look that up. So they both sat down and waited, and they lived happily ever after.";

    private readonly string _folder = Directory.CreateTempSubdirectory("voicegrains-browser-").FullName;
    private BrowserRun? _run;

    /// <summary>Why nothing was run; null where it was.</summary>
    public string? Missing { get; private set; }

    internal ApiClient Api { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Missing = BrowserRun.Missing ?? (TalkPage.IsBuilt ? null : "The talk page is not built: it needs Node.");
        Api = await silo.CreateClientAsync();
        if (Missing is not null) return;
        var talkAgent = await AgentAsync("getLocalTime", "");
        var paint = """,{"name":"colour","location":"PARAMETER_LOCATION_BODY","schema":{"type":"string"},"required":true},{"name":"coats","location":"PARAMETER_LOCATION_BODY","schema":{"type":"number"}}""";
        var ownAgent = await AgentAsync("paint", paint[1..]);
        var link = await Api.PostAsync($"/talk/{talkAgent}/links", "{}");
        _run = BrowserRun.Start(new
        {
            server = silo.Address.GetLeftPart(UriPartial.Authority), key = Api.Key, chromium = BrowserRun.Chromium,
            recording = BrowserRun.WriteMicrophone(_folder, [.. new short[PauseSeconds * BrowserRun.RateHz], .. HumanSpeech.OneTurn(BrowserRun.RateHz)]),
            talkLink = link.Json.GetProperty("url").GetString(), ultravoxAgent = ownAgent, livekitAgent = ownAgent,
        });
    }

    /// <inheritdoc cref="BrowserRun.ResultAsync"/>
    public Task<JsonElement> ResultAsync(string scenario)
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        return _run!.ResultAsync(scenario);
    }

    public async ValueTask DisposeAsync()
    {
        if (_run is not null) await _run.DisposeAsync();
        Api.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> AgentAsync(string tool, string parameters)
    {
        var script = silo.Chat.Play(Answer);
        var made = await Api.PostAsync("/api/agents", $$"""
            {"name":"Anna","callTemplate":{
              "systemPrompt":"You talk in a browser. {{script.Mark}}","model":"{{ScriptedChat.Model}}","languageHint":"en","voice":"{{LiveSilo.Speaker}}","joinTimeout":"120s",
              "firstSpeakerSettings":{"agent":{"text":"Hello. I am listening to you."} },
              "selectedTools":[{"toolName":"hangUp"},{"temporaryTool":{"modelToolName":"{{tool}}","description":"Does it.","client":{},"dynamicParameters":[{{parameters}}]} }]} }
            """);
        Assert.True(made.Status == 201, made.Text);
        return made.Json.GetProperty("agentId").GetString()!;
    }

    /// <summary>What is said aloud on the talk page is answered by a story, until some of it was heard; anything else briefly.</summary>
    private static ChatReply Answer(ChatRequest request)
    {
        if (request.LastRole == "tool") return ChatReply.Say(request.LastText.Contains("painted", StringComparison.Ordinal) ? $"It says {request.LastText}." : $"Your browser says {request.LastText}.");
        // What is said and typed at once comes in any order, and on a busy machine late: each thing is answered once, whenever it is there.
        if (Says("user", "Goodbye")) return ChatReply.Call("hangUp", new { reason = "The user said goodbye." });
        if (Says("user", "still there") && !Says("assistant", "Still here")) return ChatReply.Say("Still here, as you hear.");
        if (Says("user", "write it down") && !Says("assistant", "In writing")) return ChatReply.Say("In writing.");
        if (Says("user", "Paint it") && !Says("tool", "painted")) return ChatReply.Call("paint", new { colour = "blue", coats = 2 });
        if (Says("user", "What time") && !Says("tool", "M")) return ChatReply.Call("getLocalTime", new { });
        return ChatReply.Say(request.ToolNames.Contains("getLocalTime") && !Says("assistant", "Once upon a time") ? Story : "All right.");

        bool Says(string role, string words) => request.Messages.Any(message => (string?)message["role"] == role && message["content"]?.ToString().Contains(words, StringComparison.Ordinal) == true);
    }
}
