namespace VoiceGrains.Media;

/// <summary>One utterance in a <see cref="Playout"/>. Positions are samples of the stream sent to the far end. Guarded by the playout's gate.</summary>
internal sealed class Utterance(int id, long start)
{
    private const int MaxMarks = 4096;
    private readonly List<(long Sample, int Id)> _marks = [];
    private int _nextMark;

    public int Id => id;

    public long Start => start;

    /// <summary>Position after the last sample; <see cref="long.MaxValue"/> while the end is not known.</summary>
    public long End { get; set; } = long.MaxValue;

    public bool IsStarted { get; set; }

    public bool IsStalled { get; set; }

    /// <summary>Signalled when the waiting producer should look again.</summary>
    public SemaphoreSlim Space { get; } = new(0);

    /// <summary>Room that the waiting producer wants, in samples; 0 while none waits.</summary>
    public int Wanted { get; set; }

    /// <summary>Adds a mark in order of position; marks of one position keep their order. False when too many wait.</summary>
    public bool AddMark(long sample, int markId)
    {
        if (_marks.Count - _nextMark >= MaxMarks)
            return false;
        if (_nextMark == _marks.Count)
        {
            _marks.Clear();
            _nextMark = 0;
        }
        var at = _marks.Count;
        while (at > _nextMark && _marks[at - 1].Sample > sample)
            at--;
        _marks.Insert(at, (sample, markId));
        return true;
    }

    /// <summary>Takes the next mark at or before <paramref name="sample"/> of the utterance.</summary>
    public bool TryTakeMark(long sample, out int markId)
    {
        markId = 0;
        if (_nextMark == _marks.Count || _marks[_nextMark].Sample > sample)
            return false;
        markId = _marks[_nextMark++].Id;
        return true;
    }

    public void Wake()
    {
        if (Wanted == 0)
            return;
        Wanted = 0;
        Space.Release();
    }
}
