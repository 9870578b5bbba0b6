using VoiceGrains.Cli.Calls;
using VoiceGrains.Cli.Talk;
using VoiceGrains.Media;

namespace VoiceGrains.Cli.Tests.Talk;

/// <summary>Whole conversations over a real socket.</summary>
public sealed class TalkSessionTests : IAsyncLifetime
{
    private readonly Recordings recordings = new();
    private readonly StringWriter printed = new();
    private FakeCallServer server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => server = await FakeCallServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        recordings.Dispose();
    }

    [Fact]
    public async Task AFile_IsSpoken_TheConversationPrinted_AndBothSidesSaved()
    {
        var speech = Recordings.Tone(FakeCallServer.RateHz, 0.5);
        var file = await recordings.WriteWavAsync("hello.wav", FakeCallServer.RateHz, speech);

        Assert.Equal(0, await TalkAsync([file]));

        var lines = printed.ToString().Split('\n').Select(line => line.Length > 9 ? line[9..].TrimEnd() : "").ToList();
        Assert.Contains("user   what you said", lines);
        Assert.Contains("state  thinking", lines);
        Assert.Single(lines, line => line == "agent  You said what you said");
        Assert.Contains("turns           1", printed.ToString(), StringComparison.Ordinal);
        Assert.Contains("end reason      hangup", printed.ToString(), StringComparison.Ordinal);
        Assert.Contains("user   kept words", printed.ToString(), StringComparison.Ordinal);

        var heard = server.Heard.ToArray();
        var began = Array.FindIndex(heard, sample => sample != 0) - 1;      // the tone's first sample is zero
        Assert.Equal(speech, heard[began..(began + speech.Length)]);
        var agent = WavReader.Parse(await File.ReadAllBytesAsync(recordings.Path("agent.wav"), Cancel));
        Assert.Equal(server.SamplesSent / 320 * 300, agent.Samples.Count(sample => sample != 0));      // the tone crosses zero 20 times a frame
        Assert.Equal(2, WavReader.Parse(await File.ReadAllBytesAsync(recordings.Path("mix.wav"), Cancel)).Channels);
    }

    [Fact]
    public async Task AnInterruption_DropsWhatWasNotHeardYet()
    {
        server.Answer = TimeSpan.FromSeconds(3);
        var file = await recordings.WriteWavAsync("hello.wav", FakeCallServer.RateHz, Recordings.Tone(FakeCallServer.RateHz, 0.5));

        await TalkAsync([file], bargeIn: TimeSpan.FromMilliseconds(300));

        Assert.Contains("(interrupted", printed.ToString(), StringComparison.Ordinal);
        var agent = WavReader.Parse(await File.ReadAllBytesAsync(recordings.Path("agent.wav"), Cancel)).Samples;
        Assert.InRange(agent.Count(sample => sample != 0), FakeCallServer.RateHz / 10, server.SamplesSent - 1_000);
    }

    [Fact]
    public async Task TypedMessages_AreSentInTurn()
    {
        server.Answer = TimeSpan.FromMilliseconds(100);

        Assert.Equal(0, await TalkAsync([], texts: ["first", "second"]));

        Assert.Equal(["first", "second"], server.Messages.Select(message => (string?)message["text"]));
        Assert.Contains("agent  You said second", printed.ToString(), StringComparison.Ordinal);
        Assert.Contains("turns           2", printed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoAnswer_IsSaidAndIsAFailure()
    {
        server.Answer = TimeSpan.Zero;

        Assert.Equal(CliException.CallFailed, await TalkAsync([], texts: ["anyone?"], turnLimit: TimeSpan.FromMilliseconds(300)));

        Assert.Contains("(no answer within", printed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACallOfAnAgent_LeavesTheTemplateAlone()
    {
        server.Answer = TimeSpan.FromMilliseconds(100);
        await new TalkSession(Options([], ["hi"]) with { Call = new CallRequest { AgentId = "a b", AgentSpeaksFirst = false } }, printed).RunAsync(Cancel);

        Assert.True(server.Created.TryDequeue(out var created));
        Assert.Null(created["systemPrompt"]);
        Assert.Equal(16_000, (int)created["medium"]!["serverWebSocket"]!["inputSampleRate"]!);
    }

    [Fact]
    public async Task TooManyRequests_AreTriedAgain()
    {
        server.Refusals = 2;
        server.Answer = TimeSpan.FromMilliseconds(100);

        Assert.Equal(0, await TalkAsync([], texts: ["hi"]));
    }

    [Fact]
    public async Task AWrongKey_IsSaidPlainly()
    {
        var options = Options([], ["hi"]);
        var problem = await Assert.ThrowsAsync<CliException>(() => new TalkSession(options with { Server = options.Server with { ApiKey = "wrong" } }, printed).RunAsync(Cancel));

        Assert.Equal(CliException.NoServer, problem.ExitCode);
        Assert.Contains("refuses the API key", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoServer_IsSaidPlainly()
    {
        var options = Options([], ["hi"]);
        var nobody = options.Server with { Url = new Uri("http://127.0.0.1:1") };
        var problem = await Assert.ThrowsAsync<CliException>(() => new TalkSession(options with { Server = nobody }, printed).RunAsync(Cancel));

        Assert.Equal(CliException.NoServer, problem.ExitCode);
        Assert.Contains("./run", problem.Message, StringComparison.Ordinal);
    }

    private Task<int> TalkAsync(string[] files, string[]? texts = null, TimeSpan? bargeIn = null, TimeSpan? turnLimit = null)
        => new TalkSession(Options(files, texts ?? []) with { BargeIn = bargeIn, TurnLimit = turnLimit ?? TimeSpan.FromSeconds(20) }, printed).RunAsync(Cancel);

    private TalkOptions Options(string[] files, string[] texts) => new()
    {
        Server = new ServerAddress(server.Url, FakeCallServer.Key),
        Call = new CallRequest { AgentSpeaksFirst = false },
        Files = files,
        Texts = texts,
        Out = recordings.Folder,
    };
}
