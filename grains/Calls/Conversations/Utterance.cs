using System.Runtime.CompilerServices;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Something that the agent says: its text as it is written, its timing as it is synthesized, how much of it was heard.</summary>
internal sealed class Utterance(int id, CallInstant start, CancellationToken answerCancellation)
{
    // A model that never stops talking ends here; at 15 characters a second this is over 20 minutes of speech.
    public const int LongestText = 20_000;

    private readonly Lock _gate = new();
    private readonly List<string> _pieces = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
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
    /// <summary>No voice could speak it to its end: what could be said of it plays out, and nothing follows.</summary>
    public bool IsLost { get; set; }

    public int? Ordinal { get; set; }
    /// <summary>Characters whose transcript was sent.</summary>
    public int Shown { get; set; }
    public History.Entry? Entry { get; set; }
    public TimeSpan LastStored { get; set; }

    /// <summary>The pieces of text for a synthesizer, as they come; another one can read them again, from where the first one failed.</summary>
    /// <param name="from">Characters to leave out.</param>
    public async IAsyncEnumerable<string> ReadPiecesAsync(int from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var (next, skip) = (0, from); ; next++)
        {
            string? piece;
            while ((piece = Piece(next, out var changed, out var ended)) is null)
            {
                if (ended) yield break;
                await changed.WaitAsync(cancellationToken);
            }
            cancellationToken.ThrowIfCancellationRequested();
            if (skip < piece.Length) yield return piece[skip..];
            skip = Math.Max(0, skip - piece.Length);
        }
    }

    public void Write(string piece)
    {
        if (IsClosed || piece.Length == 0) return;
        TextLength += piece.Length;
        Timeline.AppendText(piece);
        Change(piece);
    }

    /// <summary>No more text comes.</summary>
    public void Close()
    {
        if (IsClosed) return;
        IsClosed = true;
        Change(null);
    }

    /// <summary>Stops its synthesis.</summary>
    public void Cancel()
    {
        Close();
        _cancellation.Cancel();
    }

    private string? Piece(int index, out Task changed, out bool ended)
    {
        lock (_gate)
        {
            (changed, ended) = (_changed.Task, IsClosed);
            return index < _pieces.Count ? _pieces[index] : null;
        }
    }

    private void Change(string? piece)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            if (piece is not null) _pieces.Add(piece);
            (changed, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        changed.TrySetResult();
    }
}
