using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using VoiceGrains.Gateway.Talk;
using VoiceGrains.Media;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>
/// The scenarios of <c>tests/Browser</c>, run once and together: one Chromium, a tab for each, and as its microphone a person who says "go forward ten meters" every
/// few seconds. The silo is the one of the other live calls; its recognizer is pocketsphinx, its voice flite's, its model scripted.
/// </summary>
public sealed class BrowserCalls(LiveSilo silo) : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";
    private const int RateHz = 48_000;
    private const int PauseSeconds = 6;

    /// <summary>Long enough to be interrupted, whenever the person speaks again.</summary>
    private const string Story = "Once upon a time there was a server that listened. It lived in a quiet room, and people came to it from far away to ask it for the way. "
        + "To each of them it said the same: go on until you see the river, then turn left at the old mill. One day a traveller asked where the river comes from. "
        + "The server thought about it for a long while, and then it said that it would have to look that up. So they both sat down and waited, and they lived happily ever after.";

    private readonly Dictionary<string, TaskCompletionSource<JsonElement>> _results = new(StringComparer.Ordinal);
    private readonly string _folder = Directory.CreateTempSubdirectory("voicegrains-browser-").FullName;
    private Process? _node;
    private Task _running = Task.CompletedTask;

    /// <summary>Why nothing was run; null where it was.</summary>
    public string? Missing { get; private set; }

    internal ApiClient Api { get; private set; } = null!;

    private static string Folder { get; } = FindFolder();

    public async ValueTask InitializeAsync()
    {
        Missing = !File.Exists(Chromium) ? "Chromium is not installed." : !Directory.Exists(Path.Combine(Folder, "node_modules")) ? "The packages of tests/Browser are not installed: run ./test, or npm ci there."
            : !TalkPage.IsBuilt ? "The talk page is not built: it needs Node." : !File.Exists("/usr/share/pocketsphinx/test/data/goforward.raw") ? "The Debian package pocketsphinx-testdata is not installed." : null;
        Api = await silo.CreateClientAsync();
        if (Missing is not null) return;
        var talkAgent = await AgentAsync("getLocalTime", "");
        var paint = """,{"name":"colour","location":"PARAMETER_LOCATION_BODY","schema":{"type":"string"},"required":true},{"name":"coats","location":"PARAMETER_LOCATION_BODY","schema":{"type":"number"}}""";
        var ownAgent = await AgentAsync("paint", paint[1..]);
        var link = await Api.PostAsync($"/talk/{talkAgent}/links", "{}");
        var settings = JsonSerializer.Serialize(new
        {
            server = silo.Address.GetLeftPart(UriPartial.Authority), key = Api.Key, chromium = Chromium, recording = WriteRecording(),
            talkLink = link.Json.GetProperty("url").GetString(), ultravoxAgent = ownAgent, livekitAgent = ownAgent,
        });
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder };
        start.ArgumentList.Add("main.mjs");
        start.ArgumentList.Add(settings);
        _node = Process.Start(start)!;
        _running = ReadAsync(_node);
    }

    /// <summary>What a scenario found out. Fails as it did.</summary>
    public async Task<JsonElement> ResultAsync(string scenario)
    {
        Assert.SkipWhen(Missing is not null, Missing ?? "");
        var result = await Of(scenario).Task.WaitAsync(TestContext.Current.CancellationToken);
        if (result.TryGetProperty("error", out var error)) Assert.Fail($"{error.GetString()}\n{result.GetProperty("complaints")}");
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            if (!_node.HasExited) _node.Kill(entireProcessTree: true);
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _node.Dispose();
        }
        Api.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task ReadAsync(Process node)
    {
        var errors = node.StandardError.ReadToEndAsync();
        while (await node.StandardOutput.ReadLineAsync() is { } line)
        {
            var result = JsonDocument.Parse(line).RootElement;
            Of(result.GetProperty("scenario").GetString()!).TrySetResult(result);
        }
        var failure = new InvalidOperationException($"The browser ended without an answer: {await errors}");
        lock (_results)
        {
            _ended = failure;
            foreach (var result in _results.Values) result.TrySetException(failure);
        }
    }

    private Exception? _ended;

    private TaskCompletionSource<JsonElement> Of(string scenario)
    {
        lock (_results)
        {
            if (_results.TryGetValue(scenario, out var known)) return known;
            var result = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_ended is not null) result.SetException(_ended);
            return _results[scenario] = result;
        }
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

    private string WriteRecording()
    {
        short[] pcm = [.. new short[PauseSeconds * RateHz], .. HumanSpeech.OneTurn(RateHz)];
        var file = new byte[PcmWavHeader.Length + 2 * pcm.Length];
        PcmWavHeader.Write(file, 2 * pcm.Length, RateHz, 1);
        MemoryMarshal.AsBytes<short>(pcm).CopyTo(file.AsSpan(PcmWavHeader.Length));
        var path = Path.Combine(_folder, "microphone.wav");
        File.WriteAllBytes(path, file);
        return path;
    }

    private static string FindFolder([CallerFilePath] string source = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../Browser"));
}
