namespace VoiceGrains.Grains.Webhooks;

/// <summary>How much each receiver is allowed of this process's attention. For one thread at a time.</summary>
internal sealed class DeliveryLanes(int each)
{
    /// <summary>More receivers than this that fail are not remembered: forgetting one only gives it its full share again.</summary>
    private const int MostFailing = 10_000;

    private readonly Dictionary<string, int> _underWay = new(StringComparer.Ordinal);
    private readonly HashSet<string> _failing = new(StringComparer.Ordinal);

    public int UnderWay { get; private set; }

    public void Enter(string lane)
    {
        UnderWay++;
        _underWay[lane] = _underWay.GetValueOrDefault(lane) + 1;
    }

    /// <param name="lane">Which.</param>
    /// <param name="failed">Null when nothing was learned.</param>
    public void Leave(string lane, bool? failed)
    {
        UnderWay--;
        if (--_underWay[lane] == 0) _underWay.Remove(lane);
        if (failed == false) _failing.Remove(lane);
        else if (failed == true && _failing.Count < MostFailing) _failing.Add(lane);
    }

    /// <summary>What is left to lanes that may not have everything now.</summary>
    public IReadOnlyDictionary<string, int> Allowed()
    {
        var allowed = _failing.ToDictionary(lane => lane, _ => 1, StringComparer.Ordinal);
        foreach (var (lane, underWay) in _underWay) allowed[lane] = Math.Max(0, (_failing.Contains(lane) ? 1 : each) - underWay);
        return allowed;
    }
}
