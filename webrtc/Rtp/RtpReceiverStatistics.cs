namespace VoiceGrains.WebRtc.Rtp;

/// <summary>
/// What a receiver reports about one source: RFC 3550 appendix A.1 (sequence numbers), A.3 (loss) and A.8 (jitter). One thread calls the On methods;
/// any one other thread makes the reports. Nothing locks or allocates.
/// </summary>
public sealed class RtpReceiverStatistics
{
    private const int SequenceModulus = 1 << 16;
    private const int MaxDropout = 3000;
    private const int MaxMisorder = 100;
    private const uint NoSequence = SequenceModulus + 1;
    private readonly uint _ssrc;
    private readonly int _clockRateHz;
    private readonly TimeProvider _clock;
    private readonly Published<State> _published = new();
    private State _state;
    private bool _isStarted;
    private long _expectedBefore;
    private long _receivedBefore;
    private int _restartsBefore;

    /// <param name="clockRateHz">Of the payload's timestamps: 48,000 for Opus.</param>
    public RtpReceiverStatistics(uint ssrc, int clockRateHz, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(clockRateHz);
        (_ssrc, _clockRateHz, _clock) = (ssrc, clockRateHz, clock);
    }

    /// <summary>Packets received, duplicates and late ones too.</summary>
    public long Received => _published.Read().Received;

    /// <summary>Packets that did not come; negative where duplicates came.</summary>
    public long Lost => ExpectedOf(_published.Read()) - Received;

    /// <summary>Mean deviation of the packets' spacing (RFC 3550 §6.4.1).</summary>
    public TimeSpan Jitter => TimeSpan.FromSeconds(_published.Read().Jitter / _clockRateHz);

    /// <summary>Counts a packet that has just arrived. False: its number is so far off that the next one decides.</summary>
    public bool OnPacket(ushort sequence, uint timestamp)
    {
        var isCounted = TryCount(sequence);
        if (isCounted)
        {
            _state.Received++;
            UpdateJitter(timestamp);
            _published.Write(_state);
        }
        return isCounted;
    }

    /// <summary>Takes the time of the source's report, which our next report sends back.</summary>
    public void OnSenderReport(in RtcpSenderInfo info)
    {
        _state.LastReport = NtpTime.Middle(info.NtpTime);
        _state.LastReportArrival = _clock.GetTimestamp();
        _state.HasReport = true;
        _published.Write(_state);
    }

    /// <summary>The block for a sender or receiver report. The lost fraction is that since the block before.</summary>
    public RtcpReportBlock CreateReport()
    {
        var state = _published.Read();
        if (_restartsBefore != state.Restarts)
            (_restartsBefore, _expectedBefore, _receivedBefore) = (state.Restarts, 0, 0);
        long expected = ExpectedOf(state), expectedNow = expected - _expectedBefore, receivedNow = state.Received - _receivedBefore;
        (_expectedBefore, _receivedBefore) = (expected, state.Received);
        var lostNow = expectedNow - receivedNow;
        var fraction = expectedNow <= 0 || lostNow <= 0 ? 0 : Math.Min(255, (lostNow << 8) / expectedNow);
        var delay = state.HasReport ? _clock.GetElapsedTime(state.LastReportArrival) : TimeSpan.Zero;
        return new RtcpReportBlock(_ssrc, (byte)fraction, (int)Math.Clamp(expected - state.Received, -0x800000, 0x7fffff),
            state.Cycles + state.Highest, (uint)state.Jitter, state.LastReport, NtpTime.Compact(delay));
    }

    private static long ExpectedOf(in State state) => state.Received == 0 ? 0 : (long)state.Cycles + state.Highest - state.First + 1;

    /// <summary>update_seq of appendix A.1, without probation: SRTP has authenticated the source.</summary>
    private bool TryCount(ushort sequence)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            Restart(sequence);
            return true;
        }
        var ahead = (ushort)(sequence - _state.Highest);
        if (ahead < MaxDropout)
        {
            if (sequence < _state.Highest)
                _state.Cycles += SequenceModulus;
            _state.Highest = sequence;
        }
        else if (ahead <= SequenceModulus - MaxMisorder)
        {
            if (sequence != _state.Bad)
            {
                _state.Bad = (uint)(sequence + 1) % SequenceModulus;
                return false;
            }
            Restart(sequence);                              // two in a row: the source began anew
        }
        return true;
    }

    private void Restart(ushort sequence)
    {
        _state.First = sequence;
        _state.Highest = sequence;
        _state.Bad = NoSequence;
        _state.Cycles = 0;
        _state.Received = 0;
        _state.HasTransit = false;
        _state.Restarts++;
    }

    private void UpdateJitter(uint timestamp)
    {
        var arrival = (uint)(long)(_clock.GetElapsedTime(0).TotalSeconds * _clockRateHz);
        var transit = arrival - timestamp;
        if (_state.HasTransit)
            _state.Jitter += (Math.Abs((double)(int)(transit - _state.Transit)) - _state.Jitter) / 16;
        (_state.Transit, _state.HasTransit) = (transit, true);
    }

    private struct State
    {
        internal long Received;
        internal long LastReportArrival;
        internal double Jitter;
        internal uint First;
        internal uint Highest;
        internal uint Cycles;
        internal uint Bad;
        internal uint Transit;
        internal uint LastReport;
        internal int Restarts;
        internal bool HasReport;
        internal bool HasTransit;
    }
}
