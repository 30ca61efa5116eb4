import { sumOf } from './statements';

const page = `# HELP postgres_statements_total Statements sent
# TYPE postgres_statements_total counter
postgres_statements_total{database="order",kind="a b"} 12
postgres_statements_total{database="order",kind="c"} 3
postgres_statements_total_other 99
postgres_round_trips_total 5
`;

describe('sumOf', () => {
  it("adds up a counter's samples over labels and pages", () => {
    expect(sumOf([page, page, ''], 'postgres_statements_total')).toBe(30);
    expect(sumOf([page], 'postgres_round_trips_total')).toBe(5);
  });

  it('is undefined, not 0, for a counter that is not there', () => {
    expect(sumOf([page], 'postgres_commits_total')).toBeUndefined();
  });
});
