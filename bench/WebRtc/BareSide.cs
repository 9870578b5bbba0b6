using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using VoiceGrains.Media;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>
/// What the same sound costs at least: as many streams as there are calls, each frame opened, decoded, encoded and sealed, in a loop on one thread with nothing
/// around it. Streams take turns frame by frame, as on a server.
/// </summary>
internal sealed partial class BareSide : IDisposable
{
    private const int FramesPerRound = 50;
    private const int HeardRateHz = 16_000;     // what a conversation hears by
    private const int ThreadCpuTime = 3;        // CLOCK_THREAD_CPUTIME_ID
    private readonly Speech _speech;
    private readonly Stream[] _streams;
    private readonly short[] _pcm = new short[HeardRateHz / 1000 * 120];
    private readonly byte[] _packet = new byte[2_048];
    private int _frame;

    public BareSide(int streams, SrtpProfile profile, Speech speech)
    {
        _speech = speech;
        _streams = [.. Enumerable.Range(0, streams).Select(_ => new Stream(profile))];
    }

    public int Streams => _streams.Length;

    /// <summary>CPU time in microseconds of one frame both ways; the mean of a second of all streams.</summary>
    public double MeasureCodec()
    {
        foreach (var stream in _streams) stream.Arrive(_speech, _frame, FramesPerRound);
        var began = ThreadMicroseconds();
        for (var i = 0; i < FramesPerRound; i++, _frame++)
        {
            for (var k = 0; k < _streams.Length; k++) _streams[k].Pass(i, _speech.Frame(_frame + 7 * k), _pcm, _packet);
        }
        return (ThreadMicroseconds() - began) / (FramesPerRound * _streams.Length);
    }

    /// <summary>CPU time in microseconds of handing one packet to the system and taking one from it, over loopback.</summary>
    public double MeasureSocket()
    {
        const int Packets = 5_000;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Connect(socket.LocalEndPoint!);
        var packet = _speech.Packet(_frame);
        var began = ThreadMicroseconds();
        for (var i = 0; i < Packets; i++)
        {
            socket.Send(packet);
            socket.Receive(_packet);
        }
        return (ThreadMicroseconds() - began) / Packets;
    }

    public void Dispose()
    {
        foreach (var stream in _streams) stream.Dispose();
    }

    private static double ThreadMicroseconds()
    {
        _ = ClockGetTime(ThreadCpuTime, out var time);
        return time.Seconds * 1e6 + time.Nanoseconds / 1e3;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds, Nanoseconds;
    }

    private sealed class Stream : IDisposable
    {
        private readonly SrtpSession _client, _inbound, _outbound;
        private readonly OpusDecoder _decoder = new(HeardRateHz);
        private readonly OpusEncoder _encoder = new(new OpusEncoderOptions());
        private readonly byte[][] _arrived = [.. Enumerable.Range(0, FramesPerRound).Select(_ => new byte[2_048])];
        private readonly int[] _lengths = new int[FramesPerRound];
        private ushort _sequence;

        public Stream(SrtpProfile profile)
        {
            var material = RandomNumberGenerator.GetBytes(profile.KeyLength() + profile.SaltLength());
            using var keys = new SrtpKeys(profile, material, material);
            (_client, _inbound, _outbound) = (SrtpSession.Outbound(keys), SrtpSession.Inbound(keys), SrtpSession.Outbound(keys));
        }

        /// <summary>Packets as a client sends them, not part of the cost.</summary>
        public void Arrive(Speech speech, int frame, int count)
        {
            for (var i = 0; i < count; i++)
            {
                _lengths[i] = Write(_arrived[i], (ushort)(_sequence + i), speech.Packet(frame + i));
                if (!_client.Protect(_arrived[i], ref _lengths[i])) throw new InvalidOperationException("A packet could not be sealed.");
            }
        }

        public void Pass(int arrived, ReadOnlySpan<short> speech, Span<short> pcm, Span<byte> packet)
        {
            var length = _lengths[arrived];
            if (!_inbound.Unprotect(_arrived[arrived], ref length)) throw new InvalidOperationException("A packet could not be opened.");
            _decoder.Decode(_arrived[arrived].AsSpan(RtpHeader.Bytes, length - RtpHeader.Bytes), pcm);
            length = RtpHeader.Bytes + _encoder.Encode(speech, packet[RtpHeader.Bytes..]);
            new RtpHeader(111, false, _sequence, _sequence * 960u, 1).Write(packet);
            _sequence++;
            if (!_outbound.Protect(packet, ref length)) throw new InvalidOperationException("A packet could not be sealed.");
        }

        public void Dispose()
        {
            _client.Dispose();
            _inbound.Dispose();
            _outbound.Dispose();
            _decoder.Dispose();
            _encoder.Dispose();
        }

        private static int Write(Span<byte> buffer, ushort sequence, ReadOnlySpan<byte> opus)
        {
            new RtpHeader(111, false, sequence, sequence * 960u, 1).Write(buffer);
            opus.CopyTo(buffer[RtpHeader.Bytes..]);
            return RtpHeader.Bytes + opus.Length;
        }
    }
}
