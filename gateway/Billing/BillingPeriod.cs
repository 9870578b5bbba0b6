using System.Globalization;
using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Billing;

/// <summary>Whole days in UTC.</summary>
/// <param name="From">Inclusive.</param>
/// <param name="To">Exclusive.</param>
internal readonly record struct BillingPeriod(DateOnly From, DateOnly To)
{
    public const int MaxDays = 90;

    /// <summary>From the query; by default from the start of the billing cycle to the end of today.</summary>
    /// <param name="query">May have <c>fromDate</c> and <c>toDate</c>.</param>
    /// <param name="today">In UTC.</param>
    /// <param name="cycleDay">Day of the month on which cycles begin.</param>
    /// <exception cref="InvalidInputException">A date is none, or the period is empty or too long.</exception>
    public static BillingPeriod Read(IQueryCollection query, DateOnly today, int cycleDay)
    {
        var (from, to) = (ReadDate(query, "fromDate"), ReadDate(query, "toDate"));
        var tomorrow = today.AddDays(1);
        // With a toDate alone it is the cycle that the last day lies in.
        var start = from ?? CycleStart(to is { } until && until > DateOnly.MinValue ? until.AddDays(-1) : today, cycleDay);
        var end = to ?? (tomorrow.DayNumber - start.DayNumber > MaxDays ? start.AddDays(MaxDays) : tomorrow);
        if (to is not null && end <= start) throw new InvalidInputException("toDate", "Must be after fromDate.");
        if (end <= start) throw new InvalidInputException("fromDate", "Must not be in the future.");
        if (end.DayNumber - start.DayNumber > MaxDays) throw new InvalidInputException("toDate", $"Must be at most {MaxDays} days after fromDate.");
        return new(start, end);
    }

    /// <summary>From the start of the billing cycle to the end of today.</summary>
    public static BillingPeriod Current(DateOnly today, int cycleDay) => new(CycleStart(today, cycleDay), today.AddDays(1));

    private static DateOnly CycleStart(DateOnly day, int cycleDay)
    {
        var month = new DateOnly(day.Year, day.Month, 1);
        if (day.Day < cycleDay && month > DateOnly.MinValue) month = month.AddMonths(-1);
        return month.AddDays(cycleDay - 1);
    }

    private static DateOnly? ReadDate(IQueryCollection query, string name)
        => QueryText.Read(query, name) is not { } text ? null
            : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date
            : throw new InvalidInputException(name, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.");
}
