using System.Buffers.Binary;

namespace VoiceGrains.Providers.Audio;

/// <summary>
/// Turns the bytes of an answer, however they are cut, into mono 16-bit samples: raw little-endian PCM, or WAV (16-bit or 32-bit float, any channels,
/// averaged), told apart by their first bytes. A WAV header's rate wins over the declared one. Throws <see cref="InvalidDataException"/> for anything else.
/// </summary>
/// <param name="declaredRateHz">Rate of raw PCM; 0 when nobody said, then only WAV is understood.</param>
internal sealed class PcmDecoder(int declaredRateHz)
{
    private const int MostHeaderBytes = 64 * 1024;
    private const int LowestRateHz = 4_000;
    private const int HighestRateHz = 192_000;

    private readonly List<byte> _held = [];      // an unfinished header or sample frame
    private State _state = State.Sniffing;
    private long _dataLeft = long.MaxValue;
    private int _channels = 1;
    private int _sampleBytes = sizeof(short);

    private enum State : byte { Sniffing, Header, Data }

    /// <summary>Rate of the samples; valid once there are any.</summary>
    public int SampleRateHz { get; private set; } = declaredRateHz;

    /// <summary>A new part begins, such as a line of JSON Lines. It may bring its own WAV header; without one it goes on in the former's format.</summary>
    public void BeginPart()
    {
        if (_state == State.Data && _held.Count > 0) return;   // it goes on within a sample
        _held.Clear();
        (_state, _dataLeft) = (State.Sniffing, long.MaxValue);
    }

    /// <summary>Decodes more bytes. The array is the caller's; it is empty while a header or sample is incomplete.</summary>
    public short[] Decode(ReadOnlySpan<byte> bytes)
    {
        if (_state == State.Data && _held.Count == 0) return DecodeData(bytes);
        _held.AddRange(bytes);
        if (_state == State.Sniffing && !Sniff()) return [];
        if (_state == State.Header && !TryReadHeader()) return [];
        byte[] rest = [.. _held];
        _held.Clear();
        return DecodeData(rest);
    }

    /// <summary>The answer is over.</summary>
    public void Complete()
    {
        if (_state == State.Header) throw new InvalidDataException("the WAV header is cut off");
    }

    /// <summary>False while it is open whether a WAV header comes.</summary>
    private bool Sniff()
    {
        ReadOnlySpan<byte> riff = "RIFF"u8;
        for (var i = 0; i < Math.Min(_held.Count, riff.Length); i++)
        {
            if (_held[i] == riff[i]) continue;
            if (SampleRateHz == 0) throw new InvalidDataException("it is raw PCM but no sample rate is known");
            _state = State.Data;
            return true;
        }
        if (_held.Count < riff.Length) return false;
        _state = State.Header;
        return true;
    }

    /// <summary>Walks the RIFF chunks up to <c>data</c>; false while they are incomplete.</summary>
    private bool TryReadHeader()
    {
        if (_held.Count > MostHeaderBytes) throw new InvalidDataException($"its WAV header is longer than {MostHeaderBytes} bytes");
        byte[] header = [.. _held];
        if (header.Length >= 12 && !header.AsSpan(8, 4).SequenceEqual("WAVE"u8)) throw new InvalidDataException("it is a RIFF file but no WAV");
        var hasFormat = false;
        for (var at = 12; at + 8 <= header.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(at + 4));
            if (header.AsSpan(at, 4).SequenceEqual("data"u8))
            {
                if (!hasFormat) throw new InvalidDataException("its WAV header has no format");
                _dataLeft = length is 0 or >= 0x7FFF_0000 ? long.MaxValue : length;   // streamed: the length was not known
                _held.RemoveRange(0, at + 8);
                _state = State.Data;
                return true;
            }
            if (at + 8 + (long)length > header.Length)
            {
                if (length > MostHeaderBytes) throw new InvalidDataException($"its WAV header is longer than {MostHeaderBytes} bytes");
                return false;
            }
            if (header.AsSpan(at, 4).SequenceEqual("fmt "u8))
            {
                ReadFormat(header.AsSpan(at + 8, (int)length));
                hasFormat = true;
            }
            at += 8 + (int)length + (int)(length & 1);   // chunks are padded to even lengths
        }
        return false;
    }

    private void ReadFormat(ReadOnlySpan<byte> format)
    {
        if (format.Length < 16) throw new InvalidDataException("its WAV format is cut off");
        var tag = BinaryPrimitives.ReadUInt16LittleEndian(format);
        if (tag == 0xFFFE && format.Length >= 26) tag = BinaryPrimitives.ReadUInt16LittleEndian(format[24..]);   // WAVE_FORMAT_EXTENSIBLE: first part of the sub-format's GUID
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(format[14..]);
        if ((tag, bits) is not ((1, 16) or (3, 32))) throw new InvalidDataException($"its WAV format is {tag} with {bits} bits; only 16-bit PCM (1) and 32-bit float (3) are understood");
        _channels = BinaryPrimitives.ReadUInt16LittleEndian(format[2..]);
        _sampleBytes = bits / 8;
        SampleRateHz = BinaryPrimitives.ReadInt32LittleEndian(format[4..]);
        if (_channels is < 1 or > 8) throw new InvalidDataException($"it has {_channels} channels");
        if (SampleRateHz is < LowestRateHz or > HighestRateHz) throw new InvalidDataException($"its sample rate is {SampleRateHz} Hz");
    }

    private short[] DecodeData(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _dataLeft) bytes = bytes[..(int)_dataLeft];   // what follows the data chunk is no sound
        if (_dataLeft != long.MaxValue) _dataLeft -= bytes.Length;
        var frame = _sampleBytes * _channels;
        var whole = bytes.Length / frame;
        var samples = new short[whole];
        for (var i = 0; i < whole; i++)
            samples[i] = ReadFrame(bytes.Slice(i * frame, frame));
        if (bytes.Length > whole * frame)
        {
            _held.AddRange(bytes[(whole * frame)..]);
            if (_dataLeft != long.MaxValue) _dataLeft += bytes.Length - whole * frame;   // they come again
        }
        return samples;
    }

    private short ReadFrame(ReadOnlySpan<byte> frame)
    {
        var sum = 0;
        for (var at = 0; at < frame.Length; at += _sampleBytes)
        {
            sum += _sampleBytes == sizeof(short)
                ? BinaryPrimitives.ReadInt16LittleEndian(frame[at..])
                : (int)(Math.Clamp(BinaryPrimitives.ReadSingleLittleEndian(frame[at..]), -1f, 1f) * short.MaxValue);
        }
        return (short)(sum / _channels);
    }
}
