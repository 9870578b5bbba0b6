using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Tests.Conversations;

public class WordTimelineTests
{
    private static SpeechChunk Chunk(params WordTiming[] words) => new(default, 16_000, words);

    private static WordTiming Word(int start, int end, double from, double to) => new(start, end, TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(to));

    private static string Heard(WordTimeline timeline, double seconds) => timeline.Text[..timeline.HeardBy(seconds)];

    private static string Started(WordTimeline timeline, double seconds) => timeline.Text[..timeline.StartedBy(seconds)];

    [Fact]
    public void WordTimings_DecideToTheInstant()
    {
        var timeline = new WordTimeline();
        timeline.AppendText("go forward now");
        timeline.Add(Chunk(Word(0, 2, 0, 0.2), Word(3, 10, 0.2, 0.7), Word(11, 14, 0.8, 1.0)), 1.0);
        Assert.Equal("", Heard(timeline, 0.19));
        Assert.Equal("go", Heard(timeline, 0.2));
        Assert.Equal("go", Heard(timeline, 0.196));     // its last 4 ms nobody misses
        Assert.Equal("go forward", Heard(timeline, 0.99));
        Assert.Equal("go forward now", Heard(timeline, 1.0));
        Assert.Equal("go forward", Started(timeline, 0.5));
        Assert.Equal("", Started(timeline, 0));
    }

    [Fact]
    public void WithoutTimings_WordsShareTheSentenceByTheirCharacters()
    {
        var timeline = new WordTimeline();
        timeline.AppendText("aaaa bbbb cccc ");
        timeline.Add(new SpeechChunk(default, 16_000, []) { TextEnd = 15 }, 1.5);
        Assert.Equal("aaaa", Heard(timeline, 0.45));
        Assert.Equal("aaaa bbbb", Heard(timeline, 0.95));
        Assert.Equal("aaaa bbbb cccc", Heard(timeline, 1.5).TrimEnd());
    }

    [Fact]
    public void WhileTheSentenceStreams_TheProvidersGuessCounts_AndIsSuperseded()
    {
        var timeline = new WordTimeline();
        timeline.AppendText("aaaa bbbb cccc dddd ");
        timeline.Add(new SpeechChunk(default, 16_000, []) { EstimatedTextEnd = 5 }, 1.0);
        Assert.Equal("aaaa", Heard(timeline, 1.0));
        Assert.Equal("aaaa", Heard(timeline, 1.7));
        timeline.Add(new SpeechChunk(default, 16_000, []) { TextEnd = 20 }, 2.0);
        Assert.Equal("aaaa bbbb cccc", Heard(timeline, 1.7));
    }

    [Fact]
    public void WithoutAnyGuess_150WordsAMinuteAreAssumed_AtWordBoundaries()
    {
        var timeline = new WordTimeline();
        timeline.AppendText("one two three four five");
        Assert.Equal("one two three", Heard(timeline, 1.0));      // 15 characters
        Assert.Equal("one two three four five", Heard(timeline, 60));
    }

    [Fact]
    public void Complete_SpreadsWhatIsLeft()
    {
        var timeline = new WordTimeline();
        timeline.AppendText("aaaa bbbb");
        timeline.Complete(10);
        Assert.Equal("aaaa", Heard(timeline, 6));
        Assert.Equal("aaaa bbbb", Heard(timeline, 10));
    }
}
