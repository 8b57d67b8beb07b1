"""The notebook in one process: its kept cells, in the order in which they ran.

`mlops-jupyter verify --data DIR -p NAME=VALUE` runs this and the pipeline, and compares their values.
"""

# %% cell 1
import pandas as pd
from sklearn.linear_model import LinearRegression

# %% cell 2
homes = pd.read_csv('homes.csv')

# %% cell 3
homes.shape

# %% cell 4
# price per square metre
homes['rate'] = homes['price'] / homes['area']
homes = homes[homes['rate'] < 10]

# %% cell 5
model = LinearRegression()
model.fit(homes[['area']], homes['price'])

# %% cell 6
score = model.score(homes[['area']], homes['price'])
slope = float(model.coef_[0])
