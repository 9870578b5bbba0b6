using VoiceGrains.Cli.Talk;

namespace VoiceGrains.Cli.Tests.Talk;

public sealed class ConversationPrinterTests
{
    private readonly StringWriter output = new() { NewLine = "\n" };

    [Fact]
    public void ElsewhereThanOnATerminal_EachSentenceIsPrintedOnceWhenItIsWhole()
    {
        var printer = Printer(isTerminal: false);
        printer.Transcript("agent", 1, null, "Good ", false);
        printer.Line("state", "speaking");
        printer.Transcript("agent", 1, null, "day.", false);
        printer.Transcript("agent", 1, null, "", true);
        printer.Transcript("user", 2, "  ", null, true);       // nothing was said

        Assert.Equal("   1.50  state  speaking\n   1.50  agent  Good day.\n", output.ToString());
    }

    [Fact]
    public void AFinalText_ReplacesTheDeltasBeforeIt()
    {
        var printer = Printer(isTerminal: false);
        printer.Transcript("agent", 1, null, "Good day to you", false);
        printer.Transcript("agent", 1, "Good day", null, true);

        Assert.Equal("   1.50  agent  Good day\n", output.ToString());
    }

    [Fact]
    public void OnATerminal_TheSentenceGrowsInPlaceBelowOtherLines()
    {
        var printer = Printer(isTerminal: true);
        printer.Transcript("user", 1, "go", null, false);
        printer.Line("state", "thinking");
        printer.Transcript("user", 1, "go forward", null, true);

        Assert.Equal("   1.50  user   go\r\e[K   1.50  state  thinking\n   1.50  user   go\r\e[K   1.50  user   go forward\n", output.ToString());
    }

    private ConversationPrinter Printer(bool isTerminal) => new(output, isTerminal, () => TimeSpan.FromSeconds(1.5));
}
