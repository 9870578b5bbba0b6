using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Tests.Calls;

public sealed class CallJournalBufferTests
{
    [Fact]
    public void Entries_LeaveInTheOrderTheyCame()
    {
        var buffer = new CallJournalBuffer(10, 100_000);
        Event(buffer, Severity.Info, "1");
        Message(buffer, "2");
        Event(buffer, Severity.Error, "3");
        Event(buffer, Severity.Debug, "4");
        Assert.Equal(["1", "2"], Texts(buffer.Take(2)));
        Assert.Equal(2, buffer.TakenUpTo());
        Assert.Equal(["3", "4"], Texts(buffer.Take(9)));
        Assert.Equal(4, buffer.TakenUpTo());
        Assert.Empty(buffer.Take(9));
    }

    [Fact]
    public void WhenFull_MinorEventsGoFirst_ThenOtherEvents_MessagesLast()
    {
        var buffer = new CallJournalBuffer(3, 100_000);
        Event(buffer, Severity.Warning, "warning");
        Event(buffer, Severity.Info, "info");
        Message(buffer, "m1");

        Assert.Equal(new CallJournalDrops(0, 1), Message(buffer, "m2"));                   // info went
        Assert.Equal(new CallJournalDrops(0, 1), Event(buffer, Severity.Info, "late"));    // found no room itself
        Assert.Equal(new CallJournalDrops(0, 1), Message(buffer, "m3"));                   // warning went
        Assert.Equal(new CallJournalDrops(0, 1), Event(buffer, Severity.Error, "error"));  // messages do not yield to events
        Assert.Equal(new CallJournalDrops(1, 0), Message(buffer, "m4"));
        Assert.Equal(["m1", "m2", "m3"], Texts(buffer.Take(9)));
        Assert.Equal(buffer.Written, buffer.TakenUpTo());
    }

    [Fact]
    public void Characters_AreBoundedToo()
    {
        var buffer = new CallJournalBuffer(1_000, 3_000);
        Event(buffer, Severity.Info, new string('x', 1_000));
        Event(buffer, Severity.Info, new string('y', 1_000));
        Assert.Equal(new CallJournalDrops(0, 1), Message(buffer, new string('z', 1_000)));
        Assert.Equal(2, buffer.Count);
        Message(buffer, new string('w', 9_000));
        Assert.Equal(["z"], Texts(buffer.Take(9)).Select(text => text[..1]));              // the giant found no room, although the last event left for it
        Assert.False(Message(buffer, new string('w', 9_000)).Any);                         // alone, even a giant passes
    }

    private static CallJournalDrops Message(CallJournalBuffer buffer, string text) => buffer.Add("c", 1, new Message { Text = text }, null);

    private static CallJournalDrops Event(CallJournalBuffer buffer, Severity severity, string text)
        => buffer.Add("c", 1, null, new CallEvent("c", "s", TimeSpan.Zero, severity, "test", text, null, null));

    private static IEnumerable<string> Texts(IEnumerable<CallJournalEntry> entries) => entries.Select(entry => entry.Message?.Text ?? entry.Event!.Text);
}
