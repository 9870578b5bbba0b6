using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using VoiceGrains.Media;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Makes the sound of one utterance. Where a voice fails, the next one goes on behind the last word that there is sound of: what was begun of a further word
/// is dropped where it was not sent yet. So the listener hears every word once, and history keeps one message.
/// </summary>
internal sealed class UtteranceSynthesis(
    Utterance utterance, SpeakingVoices voices, Playout playout, TimeProvider clock, ChannelWriter<ConversationEvent> events, ActivityContext trace)
{
    /// <summary>Speaks to the end, until it is cut off, or until no voice is left. Never throws.</summary>
    public async Task RunAsync()
    {
        var (line, done) = (voices.Line(), default(SpokenSoFar));
        for (var i = 0; i < line.Count; i++)
        {
            var isLast = i == line.Count - 1;
            var attempt = await TryAsync(line[i].Voice, done, voices.PatienceWith(line[i], isLast));
            if (attempt.Failure is not { } failure)
            {
                if (attempt.IsWhole && voices.Worked(line[i])) events.TryWrite(new(EventKind.SpeechRecovered));
                if (attempt.IsWhole) events.TryWrite(new(EventKind.UtteranceSynthesized, utterance));
                return;
            }
            var isNews = voices.Failed(line[i], failure);
            if (Cut(attempt.Samples) is not { } kept) return;
            done = kept;
            var isSaid = utterance.IsClosed && !utterance.Timeline.Text.Skip(done.Text).Any(char.IsLetterOrDigit);
            if (isLast && !isSaid) utterance.Timeline.Seal(done.Text);
            // Told before the utterance ends: else the pacer might report it as played to its end first, and nobody would say what was not heard.
            events.TryWrite(new(EventKind.SpeechFailed, new SpeechFailure(utterance, failure, isNews, IsLost: isLast && !isSaid)));
            if (isSaid) return;
        }
    }

    /// <summary>One voice says what is left to say.</summary>
    /// <param name="patience">For its first sound; null is the provider's own.</param>
    private async Task<Attempt> TryAsync(AgentVoice voice, SpokenSoFar from, TimeSpan? patience)
    {
        using var activity = CallTelemetry.Source.StartActivity("synthesis", ActivityKind.Client, trace);
        using var late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(utterance.Cancellation, late.Token);
        await using var sound = new SoundWriter(playout, utterance, from);
        try
        {
            var anySound = false;
            var request = new SynthesisRequest(voice.Voice, playout.SampleRateHz, voice.LanguageHint);
            await foreach (var chunk in voice.Synthesizer.SynthesizeAsync(request, ReadAsync(from.Text, patience, late, stop.Token), stop.Token))
            {
                if (!anySound && chunk.Pcm.Length > 0)
                {
                    anySound = true;
                    late.CancelAfter(Timeout.InfiniteTimeSpan);
                    if (utterance.Answer is { Latency: { FirstSound: 0 } latency }) latency.FirstSound = clock.GetTimestamp();
                }
                if (!await sound.WriteAsync(chunk)) return default;
            }
            await sound.FinishAsync();
            return new Attempt { IsWhole = true };
        }
        catch (OperationCanceledException) when (utterance.Cancellation.IsCancellationRequested)
        {
            return default;
        }
        catch (Exception exception)
        {
            await stop.CancelAsync();       // a voice that failed reads no more text
            activity?.SetStatus(ActivityStatusCode.Error, exception.GetType().Name);
            return await DrainAsync(sound) ? new Attempt { Failure = Explain(exception, patience), Samples = sound.Samples } : default;
        }
    }

    /// <summary>False: the utterance was cut off meanwhile.</summary>
    private static async Task<bool> DrainAsync(SoundWriter sound)
    {
        try
        {
            await sound.DrainAsync();
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The text that is left, and the clock for its first sound.</summary>
    private async IAsyncEnumerable<string> ReadAsync(
        int from, TimeSpan? patience, CancellationTokenSource late, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var piece in utterance.ReadPiecesAsync(from, cancellationToken))
        {
            if (patience is { } limit)
            {
                late.CancelAfter(limit);
                patience = null;
            }
            yield return piece;
        }
    }

    /// <summary>What stays of the sound that a failed voice made, and where the next one begins; null: the utterance was cleared.</summary>
    private SpokenSoFar? Cut(long samples)
    {
        double rate = playout.SampleRateHz;
        var end = utterance.Timeline.LastWord(samples / rate).Seconds;
        var kept = playout.Truncate(utterance.Id, (long)Math.Ceiling(end * rate));
        if (kept < 0) return null;
        var (said, text) = (utterance.Timeline.CutAt(kept / rate), utterance.Timeline.Text);
        while (said < text.Length && char.IsWhiteSpace(text[said])) said++;
        return new SpokenSoFar(said, kept);
    }

    private static ProviderException Explain(Exception exception, TimeSpan? patience) => exception switch
    {
        ProviderException known => known,
        OperationCanceledException => new ProviderException(
            "synthesizer", ProviderFault.TimedOut, $"The voice was tried again and gave no sound within {patience?.TotalSeconds:0.###} s.", exception),
        _ => new ProviderException("synthesizer", ProviderFault.BadAnswer, $"The synthesizer failed: {exception.GetType().Name}.", exception),
    };

    /// <summary>How an attempt ended: whole, failed behind so many samples of the utterance, or (neither) cut off.</summary>
    private readonly record struct Attempt(bool IsWhole, ProviderException? Failure, long Samples);
}
