namespace VoiceGrains.Cli.Talk;

/// <summary>
/// Prints a conversation as it happens. On a terminal the sentence being spoken grows in place on the last line; elsewhere each one is printed when it is whole.
/// Thread-safe.
/// </summary>
internal sealed class ConversationPrinter(TextWriter output, bool isTerminal, Func<TimeSpan> elapsed)
{
    private const int LabelWidth = 6;
    private readonly Lock gate = new();
    private readonly Dictionary<int, string> growing = [];
    private (string Label, string Text)? live;

    /// <summary>Prints one line.</summary>
    public void Line(string label, string text)
    {
        lock (gate)
        {
            Erase();
            output.WriteLine(Format(label, text));
            Redraw();
        }
    }

    /// <summary>One transcript message: <paramref name="text"/> is the whole so far, <paramref name="delta"/> what was added.</summary>
    public void Transcript(string role, int ordinal, string? text, string? delta, bool isFinal)
    {
        lock (gate)
        {
            var whole = text ?? growing.GetValueOrDefault(ordinal, "") + delta;
            Erase();
            if (isFinal)
            {
                growing.Remove(ordinal);
                live = null;
                if (whole.Trim() is { Length: > 0 } said)
                    output.WriteLine(Format(role, said));
                return;
            }
            growing[ordinal] = whole;
            live = (role, whole);
            Redraw();
        }
    }

    private string Format(string label, string text) => $"{elapsed().TotalSeconds,7:0.00}  {label.PadRight(LabelWidth)} {text}";

    private void Erase()
    {
        if (isTerminal && live is not null)
            output.Write("\r\e[K");
    }

    private void Redraw()
    {
        if (!isTerminal || live is not var (label, text))
            return;
        var line = Format(label, text.Trim());
        var width = Math.Max(20, Console.WindowWidth - 1);
        if (line.Length > width)        // a wrapped line could not be drawn over: its newest words are shown
            line = string.Concat(line.AsSpan(0, 16), "…", line.AsSpan(line.Length - (width - 17)));
        output.Write(line);
        output.Flush();
    }
}
