using System.Threading.Channels;

namespace VoiceGrains.Providers.Synthesis;

/// <summary>The sound of one piece on its way to the listener, with the text position that it covers.</summary>
/// <param name="wordsPerMinute">Speaking rate to guess text positions with while sound streams in; null guesses none.</param>
internal sealed class PieceSpeech(TextPiece piece, ChannelWriter<SpeechChunk> output, int? wordsPerMinute)
{
    private readonly double _guessedSeconds = piece.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length * 60.0 / (wordsPerMinute ?? 150);
    private long _samples;
    private short _held;
    private int _sampleRateHz;

    /// <summary>Whether any sound has come.</summary>
    public bool HasSound => _samples > 0;

    /// <summary>Passes samples on; waits while the listener is far behind.</summary>
    public async ValueTask AddAsync(short[] samples, int sampleRateHz, CancellationToken cancellationToken)
    {
        if (samples.Length == 0) return;
        // The last sample is held back, so that the chunk that ends the piece is never empty.
        var pcm = new short[samples.Length - (HasSound ? 0 : 1)];
        if (HasSound) pcm[0] = _held;
        samples.AsSpan(0, samples.Length - 1).CopyTo(pcm.AsSpan(HasSound ? 1 : 0));
        _held = samples[^1];
        _samples += samples.Length;
        _sampleRateHz = sampleRateHz;
        if (pcm.Length > 0) await output.WriteAsync(Guess(pcm), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The piece is spoken to its end.</summary>
    public async ValueTask FinishAsync(CancellationToken cancellationToken)
    {
        if (HasSound) await output.WriteAsync(new SpeechChunk(new[] { _held }, _sampleRateHz, []) { TextEnd = piece.End }, cancellationToken).ConfigureAwait(false);
    }

    private SpeechChunk Guess(short[] pcm)
    {
        var chunk = new SpeechChunk(pcm, _sampleRateHz, []);
        if (wordsPerMinute is null) return chunk;
        var spoken = Math.Min(1, (_samples - 1.0) / _sampleRateHz / _guessedSeconds);
        return chunk with { EstimatedTextEnd = piece.Start + (int)(piece.Text.Length * spoken) };
    }
}
