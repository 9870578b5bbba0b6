namespace VoiceGrains.Media;

/// <summary>
/// Writes 16-bit PCM as WAV to a stream. After each flush the sizes in the header are right, so that a process killed later leaves a playable file.
/// A stream that cannot seek gets the sizes of an endless one (all ones). Not thread-safe; does not own the stream.
/// </summary>
public sealed class WavWriter
{
    private readonly Stream _destination;
    private readonly int _sampleRateHz;
    private readonly int _channels;
    private readonly byte[] _buffer = new byte[32 << 10];
    private readonly byte[] _header = new byte[PcmWavHeader.Length];
    private readonly long _start;
    private int _buffered;
    private long _dataBytes;
    private bool _isHeaderWritten;

    /// <param name="destination">Written from its current position on.</param>
    /// <param name="sampleRateHz">Samples per second and channel.</param>
    /// <param name="channels">Interleaved channels, 1 or more.</param>
    public WavWriter(Stream destination, int sampleRateHz, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleRateHz);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, 1024);
        (_destination, _sampleRateHz, _channels) = (destination, sampleRateHz, channels);
        _start = destination.CanSeek ? destination.Position : 0;
    }

    /// <summary>Samples per channel taken so far.</summary>
    public long Samples => (_dataBytes + _buffered) / (_channels * sizeof(short));

    /// <summary>Takes interleaved samples; writes to the stream when 32 KiB have come together.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<short> interleaved, CancellationToken cancellationToken = default)
    {
        while (!interleaved.IsEmpty)
        {
            var take = Math.Min(interleaved.Length, (_buffer.Length - _buffered) / sizeof(short));
            _buffered += Pcm.ToBytes(interleaved.Span[..take], _buffer.AsSpan(_buffered));
            interleaved = interleaved[take..];
            if (_buffered == _buffer.Length)
                await WriteBufferAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Writes everything taken, sets the header right and flushes the stream.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        await WriteBufferAsync(cancellationToken).ConfigureAwait(false);
        if (_destination.CanSeek)
        {
            // After the samples: a file cut off in between is only shorter.
            FillHeader(_dataBytes);
            _destination.Position = _start;
            await _destination.WriteAsync(_header, cancellationToken).ConfigureAwait(false);
            _destination.Position = _start + PcmWavHeader.Length + _dataBytes;
        }
        await _destination.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask WriteBufferAsync(CancellationToken cancellationToken)
    {
        if (!_isHeaderWritten)
        {
            FillHeader(_destination.CanSeek ? 0 : uint.MaxValue);
            await _destination.WriteAsync(_header, cancellationToken).ConfigureAwait(false);
            _isHeaderWritten = true;
        }
        if (_buffered == 0)
            return;
        await _destination.WriteAsync(_buffer.AsMemory(0, _buffered), cancellationToken).ConfigureAwait(false);
        _dataBytes += _buffered;
        _buffered = 0;
    }

    private void FillHeader(long dataBytes) => PcmWavHeader.Write(_header, dataBytes, _sampleRateHz, _channels);
}
