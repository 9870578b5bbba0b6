using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>
/// A voice that fails in a call, on a fake clock. The own voice says its n-th word as samples of value n, the other one as samples of value 1000 + n: so the
/// sound itself tells which words the caller heard, and from whom.
/// </summary>
public sealed class VoiceFailureTests : IAsyncDisposable
{
    private const int RateHz = 16_000;
    private const int WordSamples = RateHz * 3 / 10;
    private const int Other = 1_000;
    private static readonly ProviderException Quota = new("eleven_labs", ProviderFault.RateLimited, "This request exceeds your quota of 10000.") { Status = 429 };

    private readonly ConversationHarness _call = new();
    private readonly BreakingVoice _own;
    private readonly BreakingVoice _other;
    private readonly WordSynthesizer _otherWords;

    public VoiceFailureTests()
    {
        _call.Voice = _own = new BreakingVoice(_call.Synthesizer, _call.Clock);
        _otherWords = new WordSynthesizer(TimeSpan.FromMilliseconds(300), _call.Clock) { Amplitude = Other };
        _call.Fallback = _other = new BreakingVoice(_otherWords, _call.Clock);
    }

    public ValueTask DisposeAsync() => _call.DisposeAsync();

    private List<CallEvent> Errors => [.. _call.Journal.Events.Where(item => item.Type == "speech_error")];

    private string[] AgentTexts => [.. _call.Messages.Where(message => message.Role == MessageRole.Agent).Select(message => message.Text!)];

    [Fact]
    public void AVoiceThatBreaksWithinAWord_IsFollowedByAnotherFromThatWord_AndTheMessageStaysOne()
    {
        (_own.Failure, _own.BreaksAfter) = (Quota, WordSamples * 5 / 2);
        Say("one two three four five.");
        Assert.Equal([1, 2, Other + 1, Other + 2, Other + 3], HeardInOrder());
        Assert.Equal(["three", "four", "five."], _otherWords.Words);
        Assert.Equal("one two three four five.", Assert.Single(AgentTexts));
        Assert.Equal("one two three four five.", string.Concat(Transcript("delta")));
        Assert.Equal("one two three four five.", Assert.Single(Transcript("text")));
        var error = Assert.Single(Errors);
        Assert.Equal((Severity.Error, Quota.Message), (error.Severity, error.Text));
        Assert.Equal("""{"provider":"eleven_labs","fault":"RateLimited","isLost":false,"status":429}""", error.Extras!.ToJsonString());
        Assert.Null(_call.Outcome);
    }

    [Fact]
    public void AVoiceThatStalls_IsFollowedFromTheWordThatItLeftUnfinished()
    {
        (_own.Failure, _own.BreaksAfter, _own.Stalls) = (new("lmnt", ProviderFault.TimedOut, "lmnt gave no more sound within 4 s."), WordSamples * 3 / 2, TimeSpan.FromSeconds(4));
        Say("one two three.");
        Assert.Equal(["two", "three."], _otherWords.Words);     // half of "two" had sounded, and sounds again whole
        Assert.Equal("one two three.", Assert.Single(AgentTexts));
        Assert.Single(Errors);
    }

    [Fact]
    public void WhatTheModelWritesMeanwhile_IsSaidByTheOtherVoice()
    {
        (_own.Failure, _own.BreaksAfter) = (Quota, 0);
        _call.Model.DelayPerDelta = TimeSpan.FromSeconds(1);
        _call.Model.Enqueue(new ModelDelta.Text("First sentence here. "), new ModelDelta.Text("Second sentence follows. "), new ModelDelta.Text("And a third."));
        _call.Start();
        _call.Client("""{"type":"user_text_message","text":"Go"}""");
        _call.RunUntil(() => _call.State == "listening" && AgentTexts.Length > 0);
        Assert.Equal("First sentence here. Second sentence follows. And a third.", Assert.Single(AgentTexts));
        Assert.Equal(9, _otherWords.Words.Count);
        Assert.Equal(1, _other.Requests);
    }

    private sealed record Break(int RateHz, int BufferMs, int ChunkSamples, int WordMs, int OtherWordMs, bool Timing, int Words, double At, int StallMs);

    private static readonly Gen<Break> Breaks =
        from rate in Gen.Elements(8_000, 16_000, 44_100)
        from buffer in Gen.Elements(20, 60, 1_000)
        from chunk in Gen.Choose(80, 12_000)
        from word in Gen.Choose(120, 500)
        from otherWord in Gen.Choose(120, 500)
        from timing in Gen.Elements(true, true, false)
        from words in Gen.Choose(2, 14)
        from at in Gen.Choose(0, 999)
        from stall in Gen.Elements(0, 0, 300, 3_000)
        select new Break(rate, buffer, chunk, word, otherWord, timing, words, at / 1_000.0, stall);

    [Fact]
    public void WhereverAVoiceBreaks_EveryWordIsHeard_AndOnlyAnUnfinishedOneTwice()
        => Prop.ForAll(Breaks.ToArbitrary(), what => CheckAsync(what).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(30));

    private static async Task<bool> CheckAsync(Break what)
    {
        await using var call = new ConversationHarness(16_000, what.RateHz, what.BufferMs, TimeSpan.FromMilliseconds(what.WordMs));
        (call.Synthesizer.ChunkSamples, call.Synthesizer.TellsTiming) = (what.ChunkSamples, what.Timing);
        var wordSamples = (int)(what.WordMs / 1000.0 * what.RateHz);
        call.Voice = new BreakingVoice(call.Synthesizer, call.Clock)
        {
            Failure = Quota, BreaksAfter = (int)(what.At * what.Words * wordSamples), Stalls = TimeSpan.FromMilliseconds(what.StallMs),
        };
        var other = new WordSynthesizer(TimeSpan.FromMilliseconds(what.OtherWordMs), call.Clock) { Amplitude = Other, TellsTiming = what.Timing };
        call.Fallback = other;
        call.Start();
        var text = string.Join(" ", Enumerable.Range(1, what.Words).Select(i => i % 5 == 0 ? $"word{i:00}." : $"word{i:00}"));
        call.Client($$"""{"type":"forced_agent_message","content":"{{text}}"}""");
        call.RunUntil(() => call.State == "speaking");
        call.RunUntil(() => call.State == "listening");

        Assert.Equal(text, call.Messages.Single(message => message.Role == MessageRole.Agent).Text);
        var heard = call.FarEnd.Heard.CountBy(sample => sample).ToDictionary(pair => (int)pair.Key, pair => pair.Value);
        var whole = Enumerable.Range(1, what.Words).TakeWhile(word => heard.GetValueOrDefault(word) >= wordSamples - what.RateHz / 200 - 1).Count();      // 5 ms nobody misses
        var again = other.Words.Count - (what.Words - whole);
        // Without timings the place is estimated, to about a word each second.
        Assert.True(what.Timing ? again == 0 : Math.Abs(again) <= 1 + whole / 2, $"{what}: {whole} words were heard, then {string.Join(' ', other.Words)}.");
        Assert.All(Enumerable.Range(1, other.Words.Count), word => Assert.True(heard[Other + word] > 0, $"{what}: {word}"));
        return true;
    }

    [Fact]
    public void ABrokenVoice_IsTriedLessAndLessOften_AndToldOfOnce()
    {
        _own.Failure = Quota;
        for (var i = 1; i <= 8; i++) Say($"answer {i}.");        // a second or so each
        Assert.Equal(1, _own.Requests);
        _call.Run(15);
        for (var i = 1; i <= 8; i++) Say($"answer {i}.");
        Assert.Equal(2, _own.Requests);
        _call.Run(15);
        Say("still the other voice.");
        Assert.Equal(2, _own.Requests);
        _call.Run(15);
        Say("and now once more.");
        Assert.Equal(3, _own.Requests);
        Assert.Single(Errors);
        Assert.Equal(18, AgentTexts.Length);
        Assert.Null(_call.Outcome);
    }

    [Fact]
    public void AVoiceThatWorksAgain_IsUsedAgain_AndThatIsTold()
    {
        _own.Failure = Quota;
        Say("one.");
        _own.Failure = null;
        Say("two.");
        Assert.False(_call.HasEvent("speech_recovered"));
        _call.Run(15);
        Say("three.");
        Say("four.");
        Assert.Equal(["one.", "two."], _otherWords.Words);
        Assert.Single(_call.Journal.Events, item => item is { Type: "speech_recovered", Severity: Severity.Info });
        _own.Failure = Quota;       // a change again
        Say("five.");
        Assert.Equal(2, Errors.Count);
    }

    [Fact]
    public void AVoiceThatHangsWhenItIsTriedAgain_KeepsTheCallerWaitingNoLongerThanTwoSeconds()
    {
        _own.Failure = Quota;
        Say("one.");
        _own.Stalls = TimeSpan.FromHours(1);
        _call.Run(15);
        var asked = _call.Now;
        Say("two.", untilSpeaking: true);
        Assert.InRange((_call.Now - asked).TotalSeconds, 1.9, 2.3);
        _call.RunUntil(() => _call.State == "listening");
        Assert.Equal("two.", AgentTexts[^1]);
        Assert.Equal([Quota.Message, "The voice was tried again and gave no sound within 2 s."], Errors.Select(error => error.Text));       // another failure than before
    }

    [Fact]
    public void WhatAProviderAsksToWait_IsWaited()
    {
        _own.Failure = new("inworld", ProviderFault.RateLimited, "Slow down.") { RetryAfter = TimeSpan.FromSeconds(40) };
        Say("one.");
        _call.Run(30);
        Say("two.");
        Assert.Equal(1, _own.Requests);
        _call.Run(10);
        Say("three.");
        Assert.Equal(2, _own.Requests);
    }

    [Fact]
    public void WhereTheOtherVoiceFailsToo_TheBrokenOneHasALastTry()
    {
        _own.Failure = Quota;
        Say("one.");
        (_own.Failure, _other.Failure) = (null, new("espeak", ProviderFault.Unavailable, "espeak-ng is gone."));
        Say("two.");
        Assert.Equal(["one.", "two."], AgentTexts);
        Assert.Equal([Quota.Message, "espeak-ng is gone."], Errors.Select(error => error.Text));
        Assert.True(_call.HasEvent("speech_recovered"));
    }

    [Fact]
    public void WhereNoVoiceIsLeft_WhatWasSaidCounts_AndTheThirdTimeEndsTheCall()
    {
        (_own.Failure, _own.BreaksAfter) = (Quota, WordSamples * 5 / 2);
        _other.Failure = new("espeak", ProviderFault.Unavailable, "espeak-ng is gone.");
        Say("one two three four.");
        Assert.Equal("one two", Assert.Single(AgentTexts));
        Assert.Equal([1, 2], HeardInOrder());
        Assert.Null(_call.Outcome);
        Say("one two three four.", untilSpeaking: true);
        _call.RunUntil(() => _call.State == "listening");
        _call.Client("""{"type":"forced_agent_message","content":"five six seven eight."}""");
        _call.RunUntil(() => _call.Outcome is not null);
        Assert.Equal(EndReason.SystemError, _call.Outcome!.Reason);
        Assert.Equal(3, Errors.Count(error => error.Extras!["isLost"]!.GetValue<bool>()));
    }

    [Fact]
    public void AnInterruptionOfTheOtherVoice_LeavesTheWordsHeardOfBoth()
    {
        (_own.Failure, _own.BreaksAfter) = (Quota, WordSamples * 2);
        _call.Start();
        Say("one two three four five six seven eight nine ten.", untilSpeaking: true);
        _call.Run(1.3);
        _call.Speak(TimeSpan.FromSeconds(0.5));
        _call.RunUntil(() => _call.HasEvent("interruption"));
        var words = AgentTexts.Single().Split(' ').Length;
        Assert.InRange(words, 4, 6);
        Assert.Equal(words, HeardInOrder().Count);
    }

    [Fact]
    public void LastWords_AreSaidByTheOtherVoice_AndThenTheCallEnds()
    {
        _own.Failure = Quota;
        _call.Start();
        _call.Client("""{"type":"hang_up","message":"Good bye then."}""");
        _call.RunUntil(() => _call.Outcome is not null);
        Assert.Equal("Good bye then.", Assert.Single(AgentTexts));
        Assert.Equal(["Good", "bye", "then."], _otherWords.Words);
    }

    [Fact]
    public void AVoiceThatFailsBehindItsLastWord_CostsNoWord()
    {
        (_own.Failure, _own.BreaksAfter) = (Quota, WordSamples * 3);
        _call.Fallback = null;
        Say("one two three.");
        Assert.Equal("one two three.", Assert.Single(AgentTexts));
        Assert.False(Assert.Single(Errors).Extras!["isLost"]!.GetValue<bool>());
    }

    private void Say(string text, bool untilSpeaking = false)
    {
        if (!_isStarted) _call.Start();
        _isStarted = true;
        var states = _call.FarEnd.OfType("state").Count();
        _call.Client($$"""{"type":"forced_agent_message","content":"{{text}}"}""");
        bool Reached(string state) => _call.FarEnd.OfType("state").Skip(states).Any(item => (string?)item["state"] == state);
        _call.RunUntil(() => Reached("speaking"));
        if (!untilSpeaking) _call.RunUntil(() => _call.State == "listening");
    }

    private bool _isStarted;

    private IEnumerable<string> Transcript(string field) => _call.FarEnd.OfType("transcript").Where(item => (string?)item["role"] == "agent").Select(item => (string?)item[field]).OfType<string>();

    /// <summary>The words that were heard to their end, in order.</summary>
    private List<int> HeardInOrder()
    {
        var words = new List<int>();
        var (value, samples) = (0, 0);
        foreach (var sample in _call.FarEnd.Heard)
        {
            samples = sample == value ? samples + 1 : 1;
            value = sample;
            if (samples == WordSamples - RateHz / 100) words.Add(value);     // the fake clock moves in steps of 10 ms
        }
        return words;
    }
}
