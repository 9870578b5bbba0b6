using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>What the history says the agent said is what the user heard: for random barge-ins, rates, buffers and chunk sizes.</summary>
public class HeardTruthTests
{
    private sealed record Scenario(int RateHz, int BufferMs, int ChunkSamples, int WordMs, int BargeInMs, bool Timing, int Words);

    private static readonly Gen<Scenario> Scenarios =
        from rate in Gen.Elements(8_000, 16_000, 24_000, 44_100, 48_000)
        from buffer in Gen.Elements(20, 60, 200, 1_000, 30_000)
        from chunk in Gen.Choose(80, 24_000)
        from word in Gen.Choose(120, 600)
        from bargeIn in Gen.Choose(50, 6_000)
        from timing in Gen.Elements(true, true, false)
        // Less than the playout holds, so that synthesis is done at once and the fake clock stays the only clock.
        from words in Gen.Choose(1, 9_000 / word)
        select new Scenario(rate, buffer, chunk, word, bargeIn, timing, words);

    [Fact]
    public void CommittedText_IsWhatWasHeard_ToAWord()
        => Prop.ForAll(Scenarios.ToArbitrary(), scenario => Check(scenario).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    [Theory]    // interrupted between the last sample and the word of its end
    [InlineData(44_100, 1_697, 228, 4_902, 22)]
    [InlineData(48_000, 20_417, 581, 2_227, 4)]
    public Task AnInterruptionAtTheVeryEnd_LosesNoWord(int rateHz, int chunkSamples, int wordMs, int bargeInMs, int words)
        => Check(new Scenario(rateHz, 1_000, chunkSamples, wordMs, bargeInMs, Timing: true, words));

    private static async Task<bool> Check(Scenario scenario)
    {
        await using var call = new ConversationHarness(16_000, scenario.RateHz, scenario.BufferMs, TimeSpan.FromMilliseconds(scenario.WordMs)).Start();
        call.Synthesizer.ChunkSamples = scenario.ChunkSamples;
        call.Synthesizer.TellsTiming = scenario.Timing;
        var text = string.Join(" ", Enumerable.Range(1, scenario.Words).Select(i => i % 7 == 0 ? $"word{i:00}." : $"word{i:00}"));
        call.Client($$"""{"type":"forced_agent_message","content":"{{text}}"}""");
        call.RunUntil(() => call.State == "speaking");
        call.Run(TimeSpan.FromMilliseconds(scenario.BargeInMs));
        call.Speak(TimeSpan.FromMilliseconds(600));
        call.RunUntil(() => call.HasEvent("interruption") || call.State == "listening");
        call.Run(1.0);

        var committed = call.Messages.First(message => message.Role == MessageRole.Agent).Text!;
        // The fake clock moves in steps of 10 ms: a word whose end lies inside the step of the interruption may count either way.
        var (least, most) = (WordsHeard(call, scenario, missing: 0), WordsHeard(call, scenario, missing: scenario.RateHz / 100 + 2));
        var slack = scenario.Timing ? 0 : 1;
        var count = committed.Length == 0 ? 0 : committed.Split(' ').Length;
        Assert.StartsWith(committed, text, StringComparison.Ordinal);
        Assert.True(count >= least - slack && count <= most + slack, $"{scenario}: committed {count} words, but {least} to {most} were heard.");
        Assert.True(call.FarEnd.MostBuffered <= scenario.RateHz * (scenario.BufferMs + 20) / 1000, $"{scenario}: {call.FarEnd.MostBuffered} samples were sent ahead.");
        AssertSilentAfterInterruption(call, scenario);
        return true;
    }

    private static int WordsHeard(ConversationHarness call, Scenario scenario, int missing)
    {
        var samplesPerWord = (int)(scenario.WordMs / 1000.0 * scenario.RateHz);
        var heard = call.FarEnd.Heard.CountBy(sample => sample).ToDictionary(pair => (int)pair.Key, pair => pair.Value);
        return Enumerable.Range(1, scenario.Words).TakeWhile(word => heard.GetValueOrDefault(word) >= samplesPerWord - missing).Count();
    }

    private static void AssertSilentAfterInterruption(ConversationHarness call, Scenario scenario)
    {
        if (call.FarEnd.Clears.Count == 0) return;
        var late = call.FarEnd.Frames.Where(frame => frame.At > call.FarEnd.Clears[0] && frame.First <= scenario.Words).ToArray();
        Assert.True(late.Length == 0, $"{scenario}: sound was sent after the interruption, at {string.Join(", ", late.Select(frame => frame.At))}.");
    }
}
