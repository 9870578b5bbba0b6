using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>The timing rules of the documentation's data messages page, on a fake clock.</summary>
public class ConversationRuleTests
{
    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static void AssertNear(double expectedSeconds, TimeSpan actual, double toleranceSeconds = 0.1)
        => Assert.InRange(actual.TotalSeconds, expectedSeconds - 0.02, expectedSeconds + toleranceSeconds);

    private static ConversationHarness With(FirstSpeakerSettings first)
    {
        var call = new ConversationHarness();
        call.Settings = call.Settings with { FirstSpeaker = first };
        return call;
    }

    [Fact]
    public async Task AgentFirst_WithText_SaysItAtOnce()
    {
        await using var call = With(new() { Agent = new AgentGreeting { Text = "Hello there." } }).Start();
        call.RunUntil(() => call.State == "speaking");
        AssertNear(0, call.Now);
        call.RunUntil(() => call.State == "listening");
        Assert.Equal("Hello there.", call.Messages.Single().Text);
        Assert.Empty(call.Model.Requests);
    }

    [Fact]
    public async Task AgentFirst_WithDelay_Waits()
    {
        await using var call = With(new() { Agent = new AgentGreeting { Text = "Hello.", Delay = Seconds(2) } }).Start();
        call.RunUntil(() => call.State == "speaking");
        AssertNear(2, call.Now);
    }

    [Fact]
    public async Task AgentFirst_WithPrompt_AsksTheModelWithIt()
    {
        await using var call = With(new() { Agent = new AgentGreeting { Prompt = "Greet in Latin." } });
        call.Start().RunUntil(() => call.State == "listening", 10);
        Assert.Equal("Greet in Latin.", call.Model.Requests.Single().Messages.Single().Text);
        Assert.Equal(ChatRole.System, call.Model.Requests.Single().Messages.Single().Role);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task AgentFirst_WithoutWords_AddsTheGreetingPromptWhereEnabled(bool enabled, int messages)
    {
        var call = With(new() { Agent = new AgentGreeting() });
        await using var _ = call;
        call.Settings = call.Settings with { EnableGreetingPrompt = enabled };
        call.Start().RunUntil(() => call.Model.Requests.Count == 1);
        Assert.Equal(messages, call.Model.Requests[0].Messages.Count);
    }

    [Fact]
    public async Task GreetingPrompt_IsLeftOut_WhereTheHistoryEndsWithTheUser()
    {
        var call = With(new() { Agent = new AgentGreeting() });
        await using var _ = call;
        call.Stage = call.Stage with { InitialMessages = [new Message { Role = MessageRole.User, Text = "Are you there?" }] };
        call.Start().RunUntil(() => call.Model.Requests.Count == 1);
        Assert.Equal(["Are you there?"], call.Model.Requests[0].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task UserFirst_WithFallback_LetsTheAgentBeginAfterItsDelay()
    {
        await using var call = With(new() { User = new UserGreeting { Fallback = new() { Delay = Seconds(5), Text = "Is anyone there?" } } }).Start();
        call.RunUntil(() => call.State == "speaking");
        AssertNear(5, call.Now);
    }

    [Fact]
    public async Task UserFirst_WhoSpeaks_NeedsNoFallback()
    {
        await using var call = With(new() { User = new UserGreeting { Fallback = new() { Delay = Seconds(5), Text = "Is anyone there?" } } }).Start();
        call.Speak(Seconds(1));
        call.Run(12);
        Assert.DoesNotContain(call.Messages, message => message.Text == "Is anyone there?");
    }

    [Fact]
    public async Task UninterruptibleGreeting_IsHeardToItsEnd_AndTheUserIsAnsweredAfterIt()
    {
        await using var call = With(new() { Agent = new AgentGreeting { Text = "This call is recorded for your own safety.", Uninterruptible = true } }).Start();
        call.RunUntil(() => call.State == "speaking");
        call.Speak(Seconds(0.8));
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal("This call is recorded for your own safety.", call.Messages[0].Text);
        Assert.False(call.HasEvent("interruption"));
        Assert.Empty(call.FarEnd.Clears);
    }

    [Fact]
    public async Task Interruption_StopsGenerationAndTruncatesTheMessage()
    {
        await using var call = new ConversationHarness().Start();
        call.Model.Default = string.Join(" ", Enumerable.Range(1, 40).Select(i => $"number{i}"));
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.State == "speaking");
        call.Run(2);
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.HasEvent("interruption"));
        var agent = call.Messages.Single(message => message.Role == MessageRole.Agent);
        Assert.InRange(agent.Text!.Split(' ').Length, 5, 9);
        Assert.Equal("playback cleared", call.FarEnd.Clears.Count > 0 ? "playback cleared" : "not cleared");
        var final = call.FarEnd.OfType("transcript").Last(message => (string?)message["role"] == "agent");
        Assert.True((bool)final["final"]!);
        Assert.Equal(agent.Text, (string?)final["text"]);
    }

    [Fact]
    public async Task ShortNoise_BelowMinimumInterruption_DoesNotCutTheAgentOff()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { VadSettings = new VadSettings { MinimumInterruptionDuration = Seconds(1) } };
        call.Start();
        call.Client("""{"type":"forced_agent_message","content":"one two three four five six seven eight nine ten."}""");
        call.RunUntil(() => call.State == "speaking");
        call.Speak(Seconds(0.3));
        call.RunUntil(() => call.State == "listening");
        Assert.Equal("one two three four five six seven eight nine ten.", call.Messages.Single().Text);
        Assert.Empty(call.Model.Requests);
    }

    [Fact]
    public async Task UserGoingOnBeforeTheAnswerIsHeard_CancelsIt()
    {
        await using var call = new ConversationHarness().Start();
        call.Model.Delay = Seconds(3);
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 1);
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal(1, call.Model.Cancelled);
        Assert.Equal(2, call.Model.Requests[1].Messages.Count(message => message.Role == ChatRole.User));
    }

    [Fact]
    public async Task InactivityMessages_AreCumulative_AndUserActivityStartsAgain()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { InactivityMessages = [new() { Duration = Seconds(4), Message = "Hello?" }, new() { Duration = Seconds(3), Message = "Still there?" }] };
        call.Start();
        call.RunUntil(() => call.Messages.Any(message => message.Text == "Hello?"));
        AssertNear(4, call.Messages[0].WallClockTimespan!.Start);
        call.RunUntil(() => call.State == "listening");
        var spoken = call.Now;
        call.RunUntil(() => call.Messages.Count == 2);
        AssertNear(3, call.Messages[1].WallClockTimespan!.Start - spoken);
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Messages.Any(message => message.Role == MessageRole.User));
        call.RunUntil(() => call.Messages.Count(message => message.Text == "Hello?") == 2);
    }

    [Fact]
    public async Task HangUpStrict_EndsTheCallAfterItsMessage()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { InactivityMessages = [new() { Duration = Seconds(2), Message = "Goodbye now.", EndBehavior = EndBehavior.HangUpStrict }] };
        call.Start();
        call.RunUntil(() => call.State == "speaking");
        call.Speak(Seconds(0.4));
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        Assert.Equal("Goodbye now.", call.Messages[0].Text);
    }

    [Fact]
    public async Task HangUpSoft_IsCalledOff_WhenTheUserSpeaks()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { InactivityMessages = [new() { Duration = Seconds(2), Message = "I will hang up now then, goodbye.", EndBehavior = EndBehavior.HangUpSoft }] };
        call.Start();
        call.RunUntil(() => call.State == "speaking");
        call.Speak(Seconds(0.6));
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Null(call.Outcome);
    }

    [Fact]
    public async Task HangUpSoft_EndsTheCall_WhenNobodyAnswers()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { InactivityMessages = [new() { Duration = Seconds(2), Message = "Goodbye.", EndBehavior = EndBehavior.HangUpSoft }] };
        call.Start().RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
    }

    [Fact]
    public async Task MaxDuration_SaysItsMessageAndEndsWithTimeout()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Settings = call.Settings with { MaxDuration = Seconds(6) };
        call.Stage = call.Stage with { TimeExceededMessage = "Our time is up." };
        call.Start().RunUntil(() => call.State == "speaking");
        AssertNear(6, call.Now);
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.Timeout, call.Outcome!.Reason);
        Assert.Equal("Our time is up.", call.Messages.Single().Text);
    }

    [Fact]
    public async Task MaxDuration_WithoutMessage_EndsAtOnce()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Settings = call.Settings with { MaxDuration = Seconds(6) };
        call.Start().RunUntil(() => call.Outcome is not null);
        AssertNear(6, call.FarEnd.ClosedAt!.Value);
        Assert.Equal(EndReason.Timeout, call.Outcome!.Reason);
    }

    [Fact]
    public async Task MediaIdleTimeout_EndsASilentConnection()
    {
        var call = new ConversationHarness { MicrophoneOn = false };
        await using var _ = call;
        call.Settings = call.Settings with { Medium = new CallMedium { ServerWebSocket = new WebSocketMedium { InputSampleRate = 16_000, MediaIdleTimeout = Seconds(3) } } };
        call.Start().RunUntil(() => call.Outcome is not null);
        AssertNear(10, call.FarEnd.ClosedAt!.Value, 1.2);      // values below 10 s act as 10 s; looked at each second
        Assert.Equal(EndReason.ConnectionError, call.Outcome!.Reason);
    }

    [Fact]
    public async Task ClientThatStopsSending_AfterSpeech_IsAnsweredAllTheSame()
    {
        await using var call = new ConversationHarness { MicrophoneOn = false }.Start();
        call.Speak(Seconds(0.7));
        call.RunUntil(() => call.State == "speaking", 5);
    }

    [Theory]
    [InlineData(MediaEnd.ClosedByClient, EndReason.Hangup)]
    [InlineData(MediaEnd.Lost, EndReason.ConnectionError)]
    [InlineData(MediaEnd.ProtocolError, EndReason.ConnectionError)]
    public async Task EndOfTheMedium_GivesTheEndReason(MediaEnd end, EndReason reason)
    {
        await using var call = new ConversationHarness().Start();
        call.Run(1);
        call.FarEnd.Leave(end);
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(reason, call.Outcome!.Reason);
        Assert.Equal("idle", call.State);
        Assert.True(call.FarEnd.IsClosed);
    }

    [Fact]
    public async Task ModelFailure_BecomesAnEventAndAnApology_AndTheThirdEndsTheCall()
    {
        await using var call = new ConversationHarness().Start();
        call.Model.Failure = new ProviderException("openai", ProviderFault.ServerError, "openai answered 500: overloaded");
        for (var i = 0; i < 3; i++)
        {
            call.Speak(Seconds(0.5));
            call.RunUntil(() => call.Journal.Events.Count(item => item.Type == "model_error") == i + 1);
            if (i < 2) call.RunUntil(() => call.State == "listening");
        }
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.SystemError, call.Outcome!.Reason);
        Assert.Equal(3, call.Outcome.ErrorCount);
        Assert.Equal(2, call.Messages.Count(message => message.Text == call.Options.Apology));
        Assert.Equal(call.Options.FinalApology, call.Messages[^1].Text);
    }

    [Fact]
    public async Task ModelThatHangs_IsGivenUpWithAnApology()
    {
        await using var call = new ConversationHarness().Start();
        call.Model.Hangs = true;
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.HasEvent("model_error"), 60);
        call.RunUntil(() => call.Messages.Any(message => message.Text == call.Options.Apology));
    }

    [Fact]
    public async Task VoiceThatFails_IsReplacedByTheFallback()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        var fallback = new WordSynthesizer(TimeSpan.FromMilliseconds(200), call.Clock);
        call.Fallback = fallback;
        call.Synthesizer.Failure = new ProviderException("tts", ProviderFault.Rejected, "quota exceeded");
        call.Start();
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Contains(call.Journal.Events, item => item is { Type: "speech_error", Severity: Severity.Error, Text: "quota exceeded" });
        Assert.Equal(["All", "right."], fallback.Words);
    }

    [Fact]
    public async Task VoiceThatKeepsFailing_EndsTheCallInsteadOfSilence()
    {
        await using var call = new ConversationHarness().Start();
        call.Synthesizer.Failure = new ProviderException("tts", ProviderFault.ServerError, "down");
        for (var i = 0; i < 3; i++)
        {
            call.Speak(Seconds(0.5));
            call.RunUntil(() => call.Journal.Events.Count(item => item.Type == "speech_error") == i + 1);
        }
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.SystemError, call.Outcome!.Reason);
    }

    [Fact]
    public async Task AudioFasterThanRealTime_IsWarnedOf_AndDroppedBeyondTheLimit()
    {
        await using var call = new ConversationHarness().Start();
        for (var i = 0; i < 200; i++)
        {
            call.FarEnd.Say(new short[1600]);
            call.Tick();
        }
        call.RunUntil(() => call.HasEvent("audio_overflow"));
        Assert.Equal(Severity.Warning, call.Journal.Events.Single(item => item.Type == "audio_overflow").Severity);
    }

    [Fact]
    public async Task AudioSlowerThanRealTime_IsWarnedOf()
    {
        await using var call = new ConversationHarness { MicrophoneOn = false }.Start();
        call.RunUntil(() => call.HasEvent("audio_underflow"));
    }
}
