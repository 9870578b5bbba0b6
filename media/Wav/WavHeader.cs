using System.Buffers.Binary;

namespace VoiceGrains.Media;

/// <summary>How samples are stored in a WAV file.</summary>
public enum WavEncoding : byte { Unsigned8, Signed16, Signed24, Signed32, Float32, MuLaw, ALaw }

/// <summary>Why bytes were refused as WAV. <see cref="TooShort"/>: so far right, more is needed.</summary>
public enum WavFault : byte { None, TooShort, NotWav, NoFormat, BadFormat, UnsupportedEncoding, RateOutOfRange, TooManyChannels, HeaderTooLong, TooLong }

/// <summary>What was wrong, and at which byte.</summary>
/// <param name="Value">The offending number, where there is one.</param>
public readonly record struct WavError(WavFault Fault, int Offset, long Value = 0)
{
    public override string ToString() => $"Not readable as WAV: {Fault} at byte {Offset} (value {Value}).";
}

/// <summary>The start of a WAV file up to its first sample (RIFF; Microsoft's WAVEFORMATEX and WAVEFORMATEXTENSIBLE).</summary>
/// <param name="Encoding">How a sample is stored.</param>
/// <param name="SampleRateHz">Samples per second and channel.</param>
/// <param name="Channels">At least 1.</param>
/// <param name="DataOffset">Bytes before the first sample.</param>
/// <param name="DataLength">Bytes of samples; -1 for a stream whose writer did not know (sizes of 0 or all ones): up to the end.</param>
public readonly record struct WavHeader(WavEncoding Encoding, int SampleRateHz, int Channels, int DataOffset, long DataLength)
{
    private const ushort Pcm = 1, Float = 3, ALaw = 6, MuLaw = 7, Extensible = 0xFFFE;
    private const uint Endless = 0x7FFF_F000;       // writers of streams put 0xFFFFFFFF, 0x7FFFFFFF or 0x7FFFF000 here

    // The last 14 bytes of a KSDATAFORMAT_SUBTYPE GUID; the first two are a format tag.
    private static ReadOnlySpan<byte> SubtypeTail => [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];

    public int BytesPerSample => Encoding switch
    {
        WavEncoding.Signed16 => 2,
        WavEncoding.Signed24 => 3,
        WavEncoding.Signed32 or WavEncoding.Float32 => 4,
        _ => 1
    };

    /// <summary>Bytes of one sample of every channel.</summary>
    public int BytesPerFrame => BytesPerSample * Channels;

    /// <summary>Reads the header from the first bytes of a file or stream. Never throws.</summary>
    /// <param name="bytes">Untrusted.</param>
    /// <param name="limits">What is accepted.</param>
    /// <param name="header">The header when the result is true.</param>
    /// <param name="error">The first fault otherwise; with <see cref="WavFault.TooShort"/> try again with more bytes.</param>
    public static bool TryParse(ReadOnlySpan<byte> bytes, WavLimits limits, out WavHeader header, out WavError error)
    {
        header = default;
        if (!StartsLike(bytes, "RIFF"u8) || (bytes.Length > 8 && !StartsLike(bytes[8..], "WAVE"u8)))
            return Fail(WavFault.NotWav, 0, 0, out error);
        if (bytes.Length < 12)
            return Fail(WavFault.TooShort, bytes.Length, 12, out error);

        var riffSize = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        var hasFormat = false;
        for (var at = 12L; ;)
        {
            if (at > limits.MaxHeaderBytes)
                return Fail(WavFault.HeaderTooLong, 12, at, out error);
            if (bytes.Length < at + 8)
                return Fail(WavFault.TooShort, bytes.Length, at + 8, out error);
            var chunk = bytes[(int)at..];
            var size = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            var body = (int)at + 8;
            if (chunk.StartsWith("data"u8))
            {
                if (!hasFormat)
                    return Fail(WavFault.NoFormat, (int)at, 0, out error);
                var isEndless = size >= Endless || (size == 0 && (riffSize >= Endless || riffSize + 8L <= body));
                header = header with { DataOffset = body, DataLength = isEndless ? -1 : size };
                error = default;
                return true;
            }
            if (chunk.StartsWith("fmt "u8))
            {
                if (size is < 16 or > 4096)
                    return Fail(WavFault.BadFormat, body, size, out error);
                if (bytes.Length < body + size)
                    return Fail(WavFault.TooShort, bytes.Length, body + size, out error);
                if (!TryParseFormat(bytes.Slice(body, (int)size), body, limits, out header, out error))
                    return false;
                hasFormat = true;
            }
            at = body + size + (size & 1);      // chunks are padded to even lengths
        }
    }

    /// <summary>Decodes whole frames to mono, the mean of all channels. A partial last frame is ignored.</summary>
    /// <param name="data">Bytes from a frame boundary on.</param>
    /// <param name="mono">Room for <c>data.Length / BytesPerFrame</c> samples.</param>
    /// <returns>Samples written.</returns>
    public int Decode(ReadOnlySpan<byte> data, Span<short> mono)
    {
        var count = data.Length / BytesPerFrame;
        if (Encoding == WavEncoding.Signed16 && Channels == 1)
            return Media.Pcm.FromBytes(data, mono);
        var width = BytesPerSample;
        for (var i = 0; i < count; i++)
        {
            var sum = 0f;
            for (var c = 0; c < Channels; c++)
            {
                sum += DecodeSample(data);
                data = data[width..];
            }
            mono[i] = Media.Pcm.Saturate(sum / Channels);
        }
        return count;
    }

    /// <summary>One sample in units of a 16-bit one.</summary>
    private float DecodeSample(ReadOnlySpan<byte> bytes) => Encoding switch
    {
        WavEncoding.Unsigned8 => (bytes[0] - 128) * 256,
        WavEncoding.Signed16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        WavEncoding.Signed24 => (bytes[0] << 8 | bytes[1] << 16 | bytes[2] << 24) / 65536f,
        WavEncoding.Signed32 => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 65536f,
        WavEncoding.Float32 => DecodeFloat(BinaryPrimitives.ReadSingleLittleEndian(bytes)),
        WavEncoding.MuLaw => G711.DecodeMuLaw(bytes[0]),
        _ => G711.DecodeALaw(bytes[0])
    };

    // Each is clipped by itself, so that an infinite one does not swallow the other channels.
    private static float DecodeFloat(float value) => float.IsNaN(value) ? 0 : Math.Clamp(value, -1, 1) * 32768;

    private static bool TryParseFormat(ReadOnlySpan<byte> format, int offset, WavLimits limits, out WavHeader header, out WavError error)
    {
        header = default;
        var tag = BinaryPrimitives.ReadUInt16LittleEndian(format);
        var channels = BinaryPrimitives.ReadUInt16LittleEndian(format[2..]);
        var rateHz = BinaryPrimitives.ReadUInt32LittleEndian(format[4..]);
        var bytesPerFrame = BinaryPrimitives.ReadUInt16LittleEndian(format[12..]);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(format[14..]);
        if (tag == Extensible)
        {
            if (format.Length < 40)
                return Fail(WavFault.BadFormat, offset, format.Length, out error);
            if (!format[26..40].SequenceEqual(SubtypeTail))
                return Fail(WavFault.UnsupportedEncoding, offset + 24, tag, out error);
            tag = BinaryPrimitives.ReadUInt16LittleEndian(format[24..]);
        }
        if (EncodingOf(tag, bits) is not { } encoding)
            return Fail(WavFault.UnsupportedEncoding, offset, tag, out error);
        if (channels == 0)
            return Fail(WavFault.BadFormat, offset + 2, 0, out error);
        if (channels > limits.MaxChannels)
            return Fail(WavFault.TooManyChannels, offset + 2, channels, out error);
        if (rateHz < limits.MinSampleRateHz || rateHz > limits.MaxSampleRateHz)
            return Fail(WavFault.RateOutOfRange, offset + 4, rateHz, out error);
        header = new WavHeader(encoding, (int)rateHz, channels, 0, 0);
        error = default;
        return bytesPerFrame == header.BytesPerFrame || Fail(WavFault.BadFormat, offset + 12, bytesPerFrame, out error);
    }

    private static WavEncoding? EncodingOf(ushort tag, ushort bits) => (tag, bits) switch
    {
        (Pcm, 8) => WavEncoding.Unsigned8,
        (Pcm, 16) => WavEncoding.Signed16,
        (Pcm, 24) => WavEncoding.Signed24,
        (Pcm, 32) => WavEncoding.Signed32,
        (Float, 32) => WavEncoding.Float32,
        (MuLaw, 8) => WavEncoding.MuLaw,
        (ALaw, 8) => WavEncoding.ALaw,
        _ => null
    };

    /// <summary>Whether the bytes that are there agree with <paramref name="name"/>.</summary>
    private static bool StartsLike(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> name)
    {
        var length = Math.Min(bytes.Length, name.Length);
        return bytes[..length].SequenceEqual(name[..length]);
    }

    private static bool Fail(WavFault fault, int offset, long value, out WavError error)
    {
        error = new WavError(fault, offset, value);
        return false;
    }
}
