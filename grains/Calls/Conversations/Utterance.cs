using System.Threading.Channels;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Something that the agent says: its text as it is written, its timing as it is synthesized, how much of it was heard.</summary>
internal sealed class Utterance(int id, CallInstant start, CancellationToken answerCancellation)
{
    // A model that never stops talking ends here; at 15 characters a second this is over 20 minutes of speech.
    public const int LongestText = 20_000;

    private readonly Channel<string> _pieces = Channel.CreateUnbounded<string>(new() { SingleReader = true, SingleWriter = true });
    private readonly EndingToken _cancellation = new(answerCancellation);

    public int Id => id;
    public CallInstant Start { get; set; } = start;
    public WordTimeline Timeline { get; } = new();
    public CancellationToken Cancellation => _cancellation.Token;

    public required MessageMedium Medium { get; init; }
    /// <summary>The user cannot interrupt it.</summary>
    public bool Uninterruptible { get; init; }
    /// <summary>The call ends with this reason once it was heard; null goes on.</summary>
    public EndReason? ThenEnd { get; set; }
    /// <summary>With <see cref="ThenEnd"/>: the user can still prevent the end by interacting.</summary>
    public bool EndUnlessUserActs { get; init; }
    /// <summary>The answer that it belongs to; null for fixed words.</summary>
    public Answer? Answer { get; init; }

    /// <summary>Characters written so far, for the bound.</summary>
    public int TextLength { get; private set; }
    public bool IsClosed { get; private set; }
    /// <summary>Its first sample was heard.</summary>
    public bool HasStarted { get; set; }
    /// <summary>It is over: played to the end or cut off.</summary>
    public bool IsOver { get; set; }
    /// <summary>Already retried with the fallback voice.</summary>
    public bool UsesFallbackVoice { get; set; }

    public int? Ordinal { get; set; }
    /// <summary>Characters whose transcript was sent.</summary>
    public int Shown { get; set; }
    public History.Entry? Entry { get; set; }
    public TimeSpan LastStored { get; set; }

    /// <summary>The pieces of text for the synthesizer, as they come.</summary>
    public async IAsyncEnumerable<string> ReadPiecesAsync()
    {
        while (await _pieces.Reader.WaitToReadAsync(Cancellation))
        {
            while (_pieces.Reader.TryRead(out var piece)) yield return piece;
        }
    }

    public void Write(string piece)
    {
        if (IsClosed || piece.Length == 0) return;
        TextLength += piece.Length;
        Timeline.AppendText(piece);
        _pieces.Writer.TryWrite(piece);
    }

    /// <summary>No more text comes.</summary>
    public void Close()
    {
        IsClosed = true;
        _pieces.Writer.TryComplete();
    }

    /// <summary>Stops its synthesis.</summary>
    public void Cancel()
    {
        Close();
        _cancellation.Cancel();
    }
}
