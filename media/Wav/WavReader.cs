namespace VoiceGrains.Media;

/// <summary>
/// Reads whole WAV files to mono 16-bit samples: PCM of 8, 16, 24 and 32 bits, 32-bit float, mu-law, A-law, plain or extensible.
/// Truncated data gives what is there. A stream is read by <see cref="WavHeader"/> instead.
/// </summary>
public static class WavReader
{
    /// <summary>Reads untrusted bytes. Never throws.</summary>
    public static bool TryParse(ReadOnlySpan<byte> file, WavLimits limits, out WavAudio? audio, out WavError error)
    {
        audio = null;
        if (file.Length > limits.MaxBytes)
        {
            error = new WavError(WavFault.TooLong, 0, file.Length);
            return false;
        }
        if (!WavHeader.TryParse(file, limits, out var header, out error))
            return false;
        var data = file[header.DataOffset..];
        if (header.DataLength >= 0 && header.DataLength < data.Length)
            data = data[..(int)header.DataLength];
        var samples = data.Length / header.BytesPerFrame;
        if (samples > limits.MaxDuration.TotalSeconds * header.SampleRateHz)
        {
            error = new WavError(WavFault.TooLong, header.DataOffset, samples);
            return false;
        }
        var mono = new short[samples];
        header.Decode(data[..(samples * header.BytesPerFrame)], mono);
        audio = new WavAudio(mono, header.SampleRateHz, header.Channels);
        return true;
    }

    /// <summary>Reads a file that is in memory.</summary>
    /// <exception cref="InvalidDataException">It is no WAV file, of another kind, or beyond the limits.</exception>
    public static WavAudio Parse(ReadOnlySpan<byte> file, WavLimits? limits = null) =>
        TryParse(file, limits ?? WavLimits.Default, out var audio, out var error) ? audio! : throw new InvalidDataException(error.ToString());

    /// <summary>Reads a stream to its end.</summary>
    /// <exception cref="InvalidDataException">It is no WAV file, of another kind, or beyond the limits.</exception>
    public static async Task<WavAudio> ReadAsync(Stream source, WavLimits? limits = null, CancellationToken cancellationToken = default)
    {
        limits ??= WavLimits.Default;
        var buffer = new MemoryStream();
        var part = new byte[64 << 10];
        int read;
        while ((read = await source.ReadAsync(part, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (buffer.Length + read > limits.MaxBytes)
                throw new InvalidDataException(new WavError(WavFault.TooLong, 0, buffer.Length + read).ToString());
            buffer.Write(part, 0, read);
        }
        return Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), limits);
    }
}
