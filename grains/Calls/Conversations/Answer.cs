using System.Diagnostics;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>One answer of the agent: the model's rounds, the tools between them and the utterances that came of it.</summary>
internal sealed class Answer(int number, CancellationToken callCancellation) : IDisposable
{
    private readonly EndingToken _cancellation = new(callCancellation);
    private string? _nextPrompt;

    public int Number => number;
    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>The user turn that it answers; null for greetings and the like.</summary>
    public UserTurn? Turn { get; init; }

    /// <summary>Said to the model at the end of this answer's history in its first round, never stored.</summary>
    public string? Prompt { get; init; }
    public bool Uninterruptible { get; init; }

    /// <summary>Model requests made so far; bounded, so that tools cannot keep the model turning for ever.</summary>
    public int Rounds { get; set; }

    /// <summary>As <see cref="Prompt"/>, but in the next round.</summary>
    public void PromptOnce(string prompt) => _nextPrompt = prompt;

    /// <summary>What is said to the model in the round that begins.</summary>
    public string? TakePrompt()
    {
        var prompt = _nextPrompt ?? (Rounds == 1 ? Prompt : null);
        _nextPrompt = null;
        return prompt;
    }

    /// <summary>The model is writing.</summary>
    public bool IsGenerating { get; set; }

    /// <summary>What the running round writes into; null until its first words.</summary>
    public Utterance? Current { get; set; }
    public SentenceChunker Chunker { get; set; } = new();

    /// <summary>Something of it was said, in this or an earlier round.</summary>
    public bool HasSpoken { get; set; }

    /// <summary>Something was said in this round, before its tools.</summary>
    public bool SpokeInRound => Current is not null;

    /// <summary>Tools of the running round, until all their results are in the history; null where it calls none.</summary>
    public ToolRound? Tools { get; set; }
    public TurnLatency Latency { get; } = new();

    /// <summary>The trace of the turn: ends when the agent is heard or the answer is over. Parent of its model requests, tools and synthesis.</summary>
    public Activity? Span { get; set; }

    /// <summary>Tools run whose effects are real: they are let finish, and the answer cannot be interrupted.</summary>
    public bool RunsTools => Tools is { IsCommitted: true };

    public bool IsBusy => IsGenerating || RunsTools;

    public void Cancel()
    {
        Span?.Dispose();
        _cancellation.Cancel();
    }

    /// <summary>It ended by itself: nothing is cancelled.</summary>
    public void Dispose()
    {
        Span?.Dispose();
        _cancellation.Dispose();
    }
}

/// <summary>A piece of a round: a delta, or its end (with the failure where there was one).</summary>
internal sealed record ModelOutput(Answer Answer, int Round, ModelDelta? Delta, ProviderException? Failure = null);

/// <summary>A voice that failed at an utterance.</summary>
/// <param name="IsNews">Worth an event.</param>
/// <param name="IsLost">No other voice says the rest.</param>
internal sealed record SpeechFailure(Utterance Utterance, ProviderException Failure, bool IsNews, bool IsLost);

/// <summary>Somebody wants the call to end.</summary>
internal sealed record EndRequest(EndReason Reason)
{
    public static readonly EndRequest ServerStopping = new(EndReason.SystemError);
}
