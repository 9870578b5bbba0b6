using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Sounds over the agent with <c>experimentalSettings.interruption</c>: what they are taken for, and what the user hears meanwhile.</summary>
public class InterruptionTests
{
    private const string Answer = "one two three four five six seven eight nine ten";
    private const int WordSamples = 4_800;      // 300 ms
    private const int Volume = 1_000;

    [Theory]
    [InlineData(60)]
    [InlineData(5_000)]
    public async Task Backchannel_SoftensTheAgent_WhoGoesOnWithTheNextSample(int clientBufferMs)
    {
        await using var call = Speaking(clientBufferMs);
        var before = call.Now;

        call.Speak(TimeSpan.FromMilliseconds(250));
        call.RunUntil(() => call.Recognizer.Started == 2);
        call.Recognizer.Partial!("uh-huh");
        call.Recognizer.Default = "Uh-huh.";
        call.Run(TimeSpan.FromMilliseconds(300));
        Assert.Contains(call.FarEnd.Heard, IsSoft);
        call.RunUntil(() => call.HasEvent("backchannel"));
        call.RunUntil(() => call.State == "listening");

        AssertHeardAll(call);
        Assert.True(IsLoud(call.FarEnd.Heard[^1]));
        var soft = call.FarEnd.Heard.Count(IsSoft) / 16.0;
        Assert.InRange(soft, 300, 420);                                         // ms: from being heard to the end of the window, without the ramps
        Assert.Equal(clientBufferMs > 100 ? 2 : 0, call.FarEnd.Clears.Count);   // softer, and back
        Assert.Equal(400, Decision(call, "backchannel"), 15);
        Assert.False(call.HasEvent("interruption"));
        Assert.Equal(["go on", Answer], call.Messages.Select(message => message.Text));
        Assert.Contains(call.FarEnd.OfType("transcript"), item => (string?)item["text"] == "Uh-huh." && (bool)item["final"]!);
        call.Run(3);
        Assert.Single(call.Model.Requests);                                     // nothing answers it
        Assert.True(call.Now > before);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(5_000)]
    public async Task Noise_IsOver_AndTheAgentGoesOn(int clientBufferMs)
    {
        await using var call = Speaking(clientBufferMs);
        call.Recognizer.Default = "";

        call.Speak(TimeSpan.FromMilliseconds(150));
        call.RunUntil(() => call.HasEvent("noise"));
        call.RunUntil(() => call.State == "listening");

        AssertHeardAll(call);
        Assert.Contains(call.FarEnd.Heard, IsSoft);
        Assert.Equal(400, Decision(call, "noise"), 15);
        Assert.Equal(["go on", Answer], call.Messages.Select(message => message.Text));
        call.Run(3);
        Assert.Single(call.Model.Requests);
    }

    [Fact]
    public async Task Words_InterruptAsSoonAsTheyAreKnown()
    {
        await using var call = Speaking();
        call.Model.Default = "Very well.";

        call.Speak(TimeSpan.FromMilliseconds(600));
        call.RunUntil(() => call.Recognizer.Started == 2);
        call.Run(TimeSpan.FromMilliseconds(250));
        Assert.Empty(call.FarEnd.Clears);
        call.Recognizer.Partial!("stop please");
        call.Recognizer.Default = "stop please now";
        call.Run(TimeSpan.FromMilliseconds(20));
        Assert.Single(call.FarEnd.Clears);
        call.RunUntil(() => call.Messages.Count == 4 && call.State == "listening");

        Assert.InRange(Decision(call, "interruption"), 100, 250);
        Assert.Equal(["go on", "one two three", "stop please now", "Very well."], call.Messages.Select(message => message.Text));
        Assert.False(call.HasEvent("noise") || call.HasEvent("backchannel"));
        Assert.All(call.FarEnd.Heard.TakeLast(2 * WordSamples), sample => Assert.True(IsLoud(sample)));     // the next answer has its full volume
    }

    [Fact]
    public async Task SoundThatGoesOnWithoutWords_InterruptsAtTheEndOfTheWindow()
    {
        await using var call = Speaking();

        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.HasEvent("interruption"));

        Assert.Equal(400, Decision(call, "interruption"), 15);
        Assert.Single(call.FarEnd.Clears);
    }

    [Fact]
    public async Task SoundThatGoesOnWithoutWords_IsLetPass_WhereThatIsAsked()
    {
        await using var call = Speaking(settings: """{"undecided":"continue"}""");
        call.Recognizer.Default = "";

        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.HasEvent("noise"));
        call.RunUntil(() => call.State == "listening");

        AssertHeardAll(call);
        Assert.False(call.HasEvent("interruption"));
    }

    [Fact]
    public async Task WordsThatAreKnownLate_StillInterrupt_AndAreAnswered()
    {
        await using var call = Speaking();
        call.Model.Default = "Very well.";
        call.Recognizer.Default = "stop";

        call.Speak(TimeSpan.FromMilliseconds(200));     // over when the window ends, and no partial text came
        call.RunUntil(() => call.HasEvent("interruption"));
        call.RunUntil(() => call.Messages.Count == 4 && call.State == "listening");

        Assert.InRange(Decision(call, "interruption"), 420, 600);
        Assert.Equal("stop", call.Messages[2].Text);
        Assert.Equal("Very well.", call.Messages[3].Text);
        Assert.False(call.HasEvent("noise"));
    }

    [Fact]
    public async Task BackchannelThatBecomesASentence_Interrupts()
    {
        await using var call = Speaking();
        call.Recognizer.Default = "yeah but I want tea";

        call.Speak(TimeSpan.FromSeconds(1.2));
        call.RunUntil(() => call.Recognizer.Started == 2);
        call.Recognizer.Partial!("yeah");
        call.Run(TimeSpan.FromMilliseconds(600));
        Assert.False(call.HasEvent("interruption"));
        call.Recognizer.Partial!("yeah but I");
        call.Run(TimeSpan.FromMilliseconds(20));

        Assert.True(call.HasEvent("interruption"));
        call.RunUntil(() => call.Messages.Count >= 3);
        Assert.Equal("yeah but I want tea", call.Messages[2].Text);
        Assert.False(call.HasEvent("backchannel"));
    }

    [Fact]
    public async Task BackchannelOverTheLastWords_IsAnAnswer()
    {
        await using var call = Speaking();
        call.RunUntil(() => call.FarEnd.Heard.Count > 9 * WordSamples);      // "ten" sounds

        call.Recognizer.Default = "yes";
        call.Speak(TimeSpan.FromMilliseconds(250));
        call.RunUntil(() => call.Model.Requests.Count == 2);

        Assert.Equal(["go on", Answer, "yes"], call.Messages.Take(3).Select(message => message.Text));
        Assert.Equal(10 * WordSamples, call.FarEnd.Heard.Take(10 * WordSamples).Count(sample => sample != 0));
    }

    [Fact]
    public async Task WhilePausing_TheAgentStandsStill()
    {
        await using var call = Speaking(settings: """{"whileDeciding":"pause"}""");
        call.Recognizer.Default = "mm";

        call.Speak(TimeSpan.FromMilliseconds(250));
        call.RunUntil(() => call.Recognizer.Started == 2);
        call.Recognizer.Partial!("mm");
        call.Run(TimeSpan.FromMilliseconds(300));
        var heard = call.FarEnd.Heard.Count;
        call.Run(TimeSpan.FromMilliseconds(100));
        Assert.Equal(heard, call.FarEnd.Heard.Count);
        call.RunUntil(() => call.State == "listening");

        AssertHeardAll(call, ramps: 2);
        Assert.False(call.HasEvent("speech_underrun"));
        Assert.True(call.HasEvent("backchannel"));
    }

    [Fact]
    public async Task ModelThatHears_WithoutARecognizer_IsDecidedByDuration()
    {
        await using var call = Speaking(prepare: call =>
        {
            call.HasRecognizer = false;
            call.Model.AcceptsAudio = true;
        });

        call.Speak(TimeSpan.FromMilliseconds(200));
        call.RunUntil(() => call.HasEvent("noise"));
        call.Run(1);
        Assert.Single(call.Model.Requests);
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.HasEvent("interruption"));
        call.RunUntil(() => call.Model.Requests.Count == 2);
    }

    [Fact]
    public async Task ModelThatHears_IsNotAskedAboutABackchannel()
    {
        await using var call = Speaking(prepare: call => call.Model.AcceptsAudio = true);
        call.Recognizer.Default = "mm-hmm";

        call.Speak(TimeSpan.FromMilliseconds(250));
        call.RunUntil(() => call.HasEvent("backchannel"));
        call.RunUntil(() => call.State == "listening");

        Assert.Single(call.Model.Requests);
        AssertHeardAll(call);
        call.Recognizer.Default = "what now";
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Model.Requests.Count == 2);
    }

    [Fact]
    public async Task NoiseWhileTheModelThinks_LosesNoAnswer()
    {
        await using var call = Create("""{}""");
        call.Model.Delay = TimeSpan.FromSeconds(2);
        call.Model.Default = Answer;
        call.Recognizer.Texts.Enqueue("go on");
        call.Recognizer.Default = "";
        call.Start();
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Model.Requests.Count == 1);
        call.Speak(TimeSpan.FromMilliseconds(200));
        call.RunUntil(() => call.State == "speaking");
        call.RunUntil(() => call.State == "listening");

        Assert.Single(call.Model.Requests);     // not even asked again
        AssertHeardAll(call);
    }

    [Fact]
    public async Task NoiseWhileTheModelThinks_LosesNoAnswer_EvenWhereEverySoundInterrupts()
    {
        await using var call = Create(null);
        call.Model.Delay = TimeSpan.FromSeconds(1);
        call.Recognizer.Texts.Enqueue("go on");
        call.Recognizer.Default = "";
        call.Start();
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Model.Requests.Count == 1);
        call.Speak(TimeSpan.FromMilliseconds(200));
        call.RunUntil(() => call.State == "speaking");

        Assert.Equal(2, call.Model.Requests.Count);
    }

    [Fact]
    public async Task NoiseOverAFarewell_DoesNotKeepTheCall()
    {
        await using var call = Create("""{}""");
        call.Stage = call.Stage with
        {
            InactivityMessages = [new TimedMessage { Duration = TimeSpan.FromSeconds(1), Message = Answer, EndBehavior = EndBehavior.HangUpSoft }],
        };
        call.Recognizer.Default = "";
        call.Start();
        call.RunUntil(() => call.State == "speaking");
        call.Speak(TimeSpan.FromMilliseconds(200));
        call.RunUntil(() => call.Outcome is not null);

        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        AssertHeardAll(call);
    }

    [Fact]
    public async Task ToolsOfAnInterruptedAnswer_NeverRun()
    {
        await using var call = Create("""{}""");
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("order")] };
        call.Model.DelayPerDelta = TimeSpan.FromSeconds(1);
        call.Model.Answers.Enqueue(_ => [new ModelDelta.Text(Answer + ". "), new ModelDelta.Text("And more. "), new ModelDelta.ToolCall("i1", "order", "{}")]);
        call.Recognizer.Texts.Enqueue("go on");
        call.Recognizer.Default = "no stop";
        call.Start();
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.State == "speaking");
        call.Speak(TimeSpan.FromMilliseconds(300));
        call.RunUntil(() => call.HasEvent("interruption"));
        call.Run(5);

        Assert.Empty(call.FarEnd.OfType("client_tool_invocation"));
    }

    [Fact]
    public async Task RecognizerThatFails_OverTheAgent_IsDecidedByDuration_WithoutAnApology()
    {
        await using var call = Speaking();
        call.Recognizer.Failure = new ProviderException("recognizer", ProviderFault.Unavailable, "away");

        call.Speak(TimeSpan.FromMilliseconds(200));
        call.RunUntil(() => call.HasEvent("recognition_error"));
        call.RunUntil(() => call.State == "listening");

        AssertHeardAll(call);
        Assert.Equal(["go on", Answer], call.Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task ClientThatCannotClear_HearsWhatItHolds_AtFullVolume()
    {
        await using var call = Speaking(5_000, prepare: call => call.FarEnd.CanClear = false);
        call.Recognizer.Default = "mm";

        call.Speak(TimeSpan.FromMilliseconds(250));
        call.RunUntil(() => call.HasEvent("backchannel"));
        call.RunUntil(() => call.State == "listening");

        AssertHeardAll(call, ramps: 0);
        Assert.DoesNotContain(call.FarEnd.Heard, IsSoft);
        Assert.Empty(call.FarEnd.Clears);
    }

    private static ConversationHarness Create(string? settings, int bufferMs = 60)
    {
        var call = new ConversationHarness(bufferMs: bufferMs);
        call.Synthesizer.Amplitude = Volume;
        if (settings is not null) call.Stage = call.Stage with { ExperimentalSettings = new JsonObject { ["interruption"] = JsonNode.Parse(settings) } };
        return call;
    }

    /// <summary>A call in which the agent has said two of its ten words.</summary>
    private static ConversationHarness Speaking(int bufferMs = 60, string settings = "{}", Action<ConversationHarness>? prepare = null)
    {
        var call = Create(settings, bufferMs);
        prepare?.Invoke(call);
        call.Model.Default = Answer;
        call.Recognizer.Texts.Enqueue("go on");
        call.Start();
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.FarEnd.Heard.Count > 2 * WordSamples);
        return call;
    }

    /// <summary>All of the answer's samples in order: each word's value, softened at most.</summary>
    private static void AssertHeardAll(ConversationHarness call, int ramps = 2)
    {
        Assert.Equal(10 * WordSamples, call.FarEnd.Heard.Count);
        Assert.True(ramps == 0 ? call.FarEnd.Heard.All(IsLoud) : call.FarEnd.Heard.Count(IsLoud) > 7 * WordSamples);
    }

    // The word synthesizer speaks word n as samples of Volume + n.
    private static bool IsLoud(short sample) => sample is >= Volume and < Volume + 100;

    private static bool IsSoft(short sample) => sample is >= Volume / 5 and < Volume / 5 + 20;

    private static double Decision(ConversationHarness call, string type) => (double)call.Journal.Events.Last(item => item.Type == type).Extras!["decisionMs"]!;
}
